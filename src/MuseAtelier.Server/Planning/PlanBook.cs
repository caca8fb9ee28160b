using System.Diagnostics;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Planning;

/// <summary>Plans requests and remembers the latest plans: sliders on the page ask for the same ones again and again.</summary>
internal sealed class PlanBook(ServerOptions options, IModelShelf shelf)
{
    /// <summary>From which factor on a plan counts as much slower than one with unlimited memory.</summary>
    public const double TightFactor = 1.3;

    private const int MostRemembered = 128;

    // The free memory of a machine changes all the time. What a slider asks for within such a time is planned within the same budget.
    private static readonly TimeSpan BudgetTime = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<Key, PlanJson> _known = [];
    private readonly Queue<Key> _order = [];
    private long? _freeBytes;
    private long _freeReadAt;

    /// <summary>The plan of a request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="request">The first picture.</param>
    /// <param name="count">The number of pictures.</param>
    /// <exception cref="ServerRequestException">The model or the request cannot be used.</exception>
    public PlanJson Of(ShelfModel model, PictureRequest request, int count)
    {
        AtelierOptions atelier = OptionsFor(model);
        // The seeds change nothing, and the page draws new ones.
        var key = new Key(model.Path, atelier.DeclaredBudget?.Bytes, request with { Seed = 0, VariationSeed = 0 });
        PlanJson plan;
        lock (_lock)
        {
            if (!_known.TryGetValue(key, out PlanJson? known))
            {
                known = Make(model, atelier, ReferenceRules.WithPixels(request));
                if (_order.Count == MostRemembered) _known.Remove(_order.Dequeue());
                _order.Enqueue(key);
                _known.Add(key, known);
            }

            plan = known;
        }

        double? seconds = plan.Seconds is { } one ? Math.Round(one * count, 2) : null;
        return plan with { Seconds = seconds, SecondsToOpen = shelf.SecondsToOpen(model) };
    }

    // An open atelier knows its budget. Otherwise the budget without a declaration is what is free now.
    private AtelierOptions OptionsFor(ShelfModel model)
    {
        AtelierOptions atelier = options.Atelier;
        long? budget = shelf.Opened(model)?.Status.BudgetBytes;
        if (budget is null && (atelier.DeclaredBudget is not null || atelier.CountedMemory == MemoryKind.Device)) return atelier;
        long bytes = budget ?? FreeBytes(atelier);
        return atelier.CountedMemory == MemoryKind.Host ? atelier with { HostMemory = bytes } : atelier with { DeviceMemory = bytes };
    }

    private long FreeBytes(AtelierOptions atelier)
    {
        lock (_lock)
        {
            if (_freeBytes is { } known && Stopwatch.GetElapsedTime(_freeReadAt) < BudgetTime) return known;
            _freeReadAt = Stopwatch.GetTimestamp();
            return (_freeBytes = atelier.BudgetBytes()).Value;
        }
    }

    private static PlanJson Make(ShelfModel model, AtelierOptions atelier, PictureRequest request)
    {
        try
        {
            return Describe(Atelier.Plan(model.Path, atelier, request));
        }
        catch (BudgetTooSmallException exception)
        {
            return new PlanJson
            {
                Fits = false,
                Needed = exception.LeastBytes,
                Budget = exception.BudgetBytes,
                Model = 0,
                Workspace = 0,
                IsTight = true,
                Largest = NearestSize.Find(request, size => Fits(model, atelier, size)),
                Problem = Problems.Of(exception).Problem,
            };
        }
        catch (PictureRequestException exception)
        {
            throw LoraNames.WithoutPaths(Problems.Of(exception), request);
        }
        catch (MuseAtelierException exception)
        {
            throw LoraNames.WithoutPaths(
                Problems.Make(422, "model-unusable", exception.Message, exception, "model"), request);
        }
    }

    private static bool Fits(ShelfModel model, AtelierOptions atelier, PictureRequest request)
    {
        try
        {
            _ = Atelier.Plan(model.Path, atelier, request);
            return true;
        }
        catch (BudgetTooSmallException)
        {
            return false;
        }
    }

    private static PlanJson Describe(ResidencyPlan plan)
    {
        // The largest phase of both passes, so that its shares add up to what is needed.
        PhasePlan peak = plan.Phases.Concat(plan.SecondPass?.Phases ?? []).MaxBy(phase => phase.Bytes)!;
        long workspace = peak.Shares.Where(share => IsWorkspace(share.Name)).Sum(share => share.Bytes);
        return new PlanJson
        {
            Seconds = plan.Estimate.Picture,
            Fits = true,
            Needed = plan.PeakBytes,
            Budget = plan.BudgetBytes,
            Model = peak.Bytes - workspace,
            Workspace = workspace,
            IsTight = plan.Estimate.Picture > TightFactor * plan.UnlimitedSeconds,
        };
    }

    private static bool IsWorkspace(string share) =>
        share is ResidencyPlan.WorkingMemoryShare or ResidencyPlan.DecoderShare or "tensors between stages" or "latents and pictures"
            or "left free";

    private sealed record Key(string Model, long? Budget, PictureRequest Request);
}
