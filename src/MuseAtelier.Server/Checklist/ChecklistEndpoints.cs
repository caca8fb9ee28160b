using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Checklist;

/// <summary>The checklist before the first picture.</summary>
internal static class ChecklistEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapChecklist(this WebApplication app) => app
        .MapGet("/api/v1/checklist", RunAsync)
        .WithTags("Checklist")
        .WithSummary("Whether a picture can be painted as promised, each line with its remedy.")
        .Produces<ChecklistAnswer>();

    private static async Task<IResult> RunAsync(
        [FromServices] ServerOptions options, [FromServices] IModelShelf shelf, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChecklistLine> lines = await Task.Run(() => Run(options, shelf), cancellationToken).ConfigureAwait(false);
        return Results.Json(new ChecklistAnswer(lines), WireJson.Options);
    }

    private static IReadOnlyList<ChecklistLine> Run(ServerOptions options, IModelShelf shelf)
    {
        ShelfModel? model = shelf.Current;
        long? open = model is null ? null : shelf.Opened(model)?.Status.BudgetBytes;
        return FirstRunChecklist.Run(new ChecklistSubject
        {
            Model = model?.Path,
            ModelProblem = "none of the paths holds a model",
            Atelier = WithBudget(options.Atelier, open),
            Device = options.Device?.Invoke() ?? DeviceFinding.Of(options.Atelier),
            Gallery = options.Gallery,
            SecondsToOpen = model is null ? null : shelf.SecondsToOpen(model),
        });
    }

    // What is free now says little once the model itself holds memory.
    private static AtelierOptions WithBudget(AtelierOptions atelier, long? open)
    {
        if (open is not { } bytes || atelier.DeclaredBudget is not null) return atelier;
        return atelier.CountedMemory == MemoryKind.Host ? atelier with { HostMemory = bytes } : atelier with { DeviceMemory = bytes };
    }
}

/// <summary>The checklist.</summary>
/// <param name="Lines">The lines, in their order.</param>
internal sealed record ChecklistAnswer(IReadOnlyList<ChecklistLine> Lines);
