using MuseAtelier.Conditioning;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Finds the plan of each batch before anything is loaded, within the declared budget or, if that is less, within the memory that is
/// available on the device; and puts it in force.
/// </summary>
internal sealed class BatchPlanner
{
    private const int RememberedPlans = 8;

    private readonly ModelSizes _sizes;
    private readonly DeviceProfile _profile;
    private readonly AtelierOptions _options;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly PlanApplier _plans;
    private readonly MemoryAllowance _allowance;
    private readonly Dictionary<ResidencyRequest, PassPlans> _found = [];
    private readonly Queue<ResidencyRequest> _order = [];

    /// <param name="sizes">The model's sizes.</param>
    /// <param name="profile">The costs of the device, as it was opened.</param>
    /// <param name="options">The options of the atelier.</param>
    /// <param name="device">The device; borrowed.</param>
    /// <param name="sessions">The loaded sessions; borrowed.</param>
    /// <param name="plans">Puts plans in force.</param>
    public BatchPlanner(
        ModelSizes sizes, DeviceProfile profile, AtelierOptions options, ExecutionDevice device, SessionPool sessions, PlanApplier plans)
    {
        _sizes = sizes;
        _profile = profile;
        _options = options;
        _device = device;
        _sessions = sessions;
        _plans = plans;
        // The default budget depends on the memory that is free now, when the atelier is opened.
        _allowance = new MemoryAllowance(options.BudgetBytes(Available()));
    }

    /// <summary>The declared budget, or the default one, in bytes. Thread-safe.</summary>
    public long BudgetBytes => _allowance.Declared;

    /// <summary>The request for a plan of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="options">The options of the atelier.</param>
    /// <param name="budget">The budget in bytes.</param>
    /// <exception cref="PromptException">The prompt has too many parts for the batch of a picture with a fixed slot.</exception>
    public static ResidencyRequest RequestOf(PictureSeries series, AtelierOptions options, long budget)
    {
        RequestPrompts prompts = series.Prompts;
        SamplingCatalogs catalogs = options.Catalogs;
        int evaluations = catalogs.EvaluationsOf(series.Request, series.Span);
        int unguided = catalogs.Samplers.EvaluationsOfThePromptAlone(series.Request, series.Span)!.Value;
        var request = new ResidencyRequest
        {
            Budget = budget,
            Width = series.Request.Width,
            Height = series.Request.Height,
            Steps = evaluations,
            Count = series.Count,
            NoiseBytes = catalogs.NoiseBytesOf(series.Request, series.Span),
            // The denoiser has rows for guidance even where no evaluation runs.
            Guided = unguided < evaluations || (evaluations == 0 && series.Request.IsGuided),
            UnguidedSteps = unguided < evaluations && prompts.Weights.Count == 1 ? unguided : 0,
            PromptChunks = prompts.Chunks,
            PromptParts = prompts.Weights.Count,
            PromptSets = prompts.Sets.Count,
            Offload = options.Offload,
            VaeTiling = options.VaeTiling,
            VaeTile = options.VaeTile,
            DecodesInFp32 = options.DecodesInFp32,
            Frame = series.Request.Frame,
            EncodesSource = series.Request.Source is not null || series.EncodesEnlarged,
            HasLoras = series.Request.Loras.Count > 0,
            MergedBytes = series.MergedBytes,
        };
        if (series.Tiles is { } tiles) request = request.InTiles(tiles);
        int mostRows = PlanRules.MostRowsOf(request.Width, request.Height);
        if (request.LargestBatch < 1)
            throw PromptException.TooManyRowsForSize(request.PromptParts, request.Width, request.Height, mostRows - 1);
        if (series.Slot is { } slot && slot.BatchSize > request.LargestBatch)
            throw PromptException.TooManyRows(request.PromptParts, slot.BatchSize, request.LargestBatch);
        // A picture with a fixed slot keeps its batch. Other pictures of a prompt of many parts share a batch of fewer pictures.
        bool isFixed = series.Slot is not null || series.BatchSize is null;
        return request with { BatchSize = isFixed ? series.BatchSize : Math.Min(series.BatchSize!.Value, request.LargestBatch) };
    }

    /// <summary>Finds the plan for the next batch of a series and puts it in force.</summary>
    /// <param name="series">The series.</param>
    /// <param name="notices">Receives a sentence if the budget in force has changed.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    /// <exception cref="DeviceMemoryException">Other programs hold so much device memory that no plan fits into the rest.</exception>
    public ResidencyPlan Apply(PictureSeries series, List<string> notices) =>
        PutInForce(Find(budget => RequestOf(series, _options, budget), notices).First);

    /// <summary>Finds the plans for the next batch of two passes, and puts that of the first one in force.</summary>
    /// <inheritdoc cref="Find(HiresSeries, List{string})"/>
    public ResidencyPlan ApplyFirst(HiresSeries passes, List<string> notices) => PutInForce(Find(passes, notices).First);

    /// <summary>Finds the plans for the next batch of two passes, and puts that of the second one in force.</summary>
    /// <inheritdoc cref="Find(HiresSeries, List{string})"/>
    public ResidencyPlan ApplySecond(HiresSeries passes, List<string> notices) => PutInForce(Find(passes, notices).Second!);

    /// <summary>Finds the plans for the next batch of two passes, which may be painted later.</summary>
    /// <param name="passes">Both series.</param>
    /// <param name="notices">Receives a sentence if the budget in force has changed.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    /// <exception cref="DeviceMemoryException">Other programs hold so much device memory that no plan fits into the rest.</exception>
    public PassPlans Find(HiresSeries passes, List<string> notices) => Find(budget => passes.PlanRequest(_options, budget), notices);

    private PassPlans Find(Func<long, ResidencyRequest> request, List<string> notices)
    {
        long available = Available();
        long before = _allowance.Bytes;
        _allowance.Raise(available);
        PassPlans plans;
        try
        {
            plans = Find(request(_allowance.Bytes));
            if (plans.PeakBytes > available && _allowance.Lower(available)) plans = Find(request(_allowance.Bytes));
        }
        catch (BudgetTooSmallException exception) when (_allowance.IsReduced)
        {
            throw DeviceMemoryException.OfOthers(available, _allowance.Declared, exception);
        }

        if (_allowance.Bytes != before) notices.Add(AllowanceNotice(available));
        return plans;
    }

    /// <summary>Finds a plan with a quarter less memory than the plan that ran out, and puts it in force.</summary>
    /// <param name="series">The series.</param>
    /// <param name="left">The number of pictures that are left of the batch.</param>
    /// <param name="plan">The plan that ran out.</param>
    /// <exception cref="BudgetTooSmallException">There is no such plan.</exception>
    public ResidencyPlan ApplySmaller(PictureSeries series, int left, ResidencyPlan plan)
    {
        long available = Available();
        long budget = Math.Min(plan.PeakBytes / 4 * 3, available);
        // Where the device reports its free memory, the lower budget stays in force. Elsewhere the next batch is planned as before.
        if (_device.FreeBytes() is not null) _allowance.RanOut(budget);
        // A batch of one takes the least memory. A picture with a fixed slot must keep its batch, because its last bits depend on it.
        PictureSeries rest = series.Slot is null ? series with { Count = left, BatchSize = 1, Tiles = null } : series;
        return Apply(rest, budget);
    }

    /// <summary>Finds the plan for a picture of the default size and puts it in force; null if the budget is too small for it.</summary>
    public ResidencyPlan? ApplyDefault()
    {
        try
        {
            var usual = new PictureSeries(new PictureRequest { Prompt = "" }, 1, 1);
            return Apply(usual, Math.Min(_allowance.Bytes, Available()));
        }
        catch (BudgetTooSmallException)
        {
            // A smaller picture may still fit the budget.
            return null;
        }
    }

    private ResidencyPlan Apply(PictureSeries series, long budget) => PutInForce(Find(RequestOf(series, _options, budget)).First);

    private ResidencyPlan PutInForce(ResidencyPlan plan)
    {
        _plans.Apply(plan, Available());
        return plan;
    }

    private PassPlans Find(ResidencyRequest request)
    {
        ResidencyRequest wanted = _sizes.Complete(request);
        if (_found.TryGetValue(wanted, out PassPlans? known)) return known;
        PassPlans plans = wanted.SecondPass is null
            ? new PassPlans(ResidencyPlanner.Plan(_sizes, wanted, _profile), null)
            : TwoPassPlan.PassesOf(_sizes, wanted, _profile);
        if (_order.Count == RememberedPlans) _found.Remove(_order.Dequeue());
        _order.Enqueue(wanted);
        return _found[wanted] = plans;
    }

    // Memory that this engine already holds counts as available.
    private long Available() => MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());

    // Bytes of device memory that this engine holds, by the engine's own count. The driver's count includes other engines of the process,
    // and other programs too where the driver does not count processes separately.
    private long HeldBytes() => _profile.MapsWeights ? 0 : _profile.FixedBytes + _device.AllocatedBytes + _sessions.HeldBytes(_profile);

    private string AllowanceNotice(long available)
    {
        string allowed = ByteSize.Format(_allowance.Bytes);
        if (!_allowance.IsReduced) return $"Memory of the device is free again: pictures are painted within {allowed}.";
        string free = ByteSize.Format(available);
        return $"Other programs hold most of the device: {free} of the budget of {ByteSize.Format(_allowance.Declared)} are available. "
            + $"Pictures are painted within {allowed} until more is free.";
    }
}
