using Microsoft.Extensions.Logging;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Jobs;

/// <summary>Runs a job from its beginning to its end. A failure of a job is that job's alone.</summary>
/// <param name="options">The options of ateliers, whose folders no client is told.</param>
/// <param name="shelf">The models.</param>
/// <param name="gallery">The pictures that are verified.</param>
/// <param name="painter">Paints and verifies.</param>
/// <param name="changed">Called when the job has changed.</param>
/// <param name="log">Receives failures.</param>
internal sealed partial class JobRunner(
    AtelierOptions options, IModelShelf shelf, IGallery gallery, JobPainter painter, Action<JobEntry> changed, ILogger log)
{
    /// <summary>Runs a job.</summary>
    /// <returns>The failure; null if the job is done or was stopped by a client.</returns>
    /// <exception cref="OperationCanceledException">The server is stopping: the job has not ended.</exception>
    public async Task<ServerRequestException?> RunAsync(JobEntry entry)
    {
        try
        {
            ShelfModel model = ModelOf(entry);
            IAtelier atelier = await OpenAsync(entry, model);
            // A model that was opened although its job was stopped stays open for the next one.
            entry.Cancelled.ThrowIfCancellationRequested();
            entry.Change(job => job.State == JobState.Stopped ? job : job with { State = JobState.Painting, Phase = null });
            changed(entry);
            if (entry.Request.Verifies is null) await painter.PaintAsync(entry, atelier, model.Id);
            else await painter.VerifyAsync(entry, atelier);
            End(entry, JobState.Done, problem: null);
            return null;
        }
        catch (OperationCanceledException) when (entry.Cancelled.IsCancellationRequested)
        {
            if (!entry.IsStoppedByClient) throw;
            End(entry, JobState.Stopped, problem: null);
            return null;
        }
        catch (Exception exception)
        {
            ServerRequestException failure = AdapterPaths.Hide(Problems.Of(exception), options);
            LogFailure(log, entry.Id, exception);
            End(entry, JobState.Failed, failure.Problem);
            return failure;
        }
    }

    private static void End(JobEntry entry, JobState state, Problem? problem)
    {
        Job reached = entry.Now();
        entry.Change(job => job with
        {
            State = state,
            Ended = job.Ended ?? DateTimeOffset.UtcNow,
            Step = reached.Step,
            Steps = reached.Steps,
            Tile = reached.Tile,
            Tiles = reached.Tiles,
            Phase = null,
            Problem = problem,
        });
    }

    private async Task<IAtelier> OpenAsync(JobEntry entry, ShelfModel model)
    {
        if (shelf.Opened(model) is { } opened) return opened;
        entry.Change(job => job with { State = JobState.Opening });
        changed(entry);
        var progress = new OpeningProgress(phase =>
        {
            entry.Change(job => job.State == JobState.Opening ? job with { Phase = phase } : job);
            changed(entry);
        });
        return await shelf.OpenAsync(model, progress, entry.Cancelled);
    }

    private ShelfModel ModelOf(JobEntry entry)
    {
        ShelfModel? model = entry.Request switch
        {
            { Model: { } id } => shelf.Find(id),
            { Verifies: { } picture } => PainterOf(picture) ?? shelf.Current,
            _ => shelf.Current,
        };
        if (model is null)
        {
            throw Problems.Make(
                404, "no-such-model", "The job's model is not on the shelf any more. Put its file back, or choose another model.",
                inner: null, "model");
        }

        // A model that could not be opened before may be opened now: the opening says why not.
        return model;
    }

    // Verifying again needs the model that painted the picture, which its record names.
    private ShelfModel? PainterOf(string picture)
    {
        RecordedModel? model = gallery.Find(picture)?.Record?.Model;
        return model is null ? null : shelf.Find(model.Sha256) ?? shelf.Find(model.Name);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Id} failed")]
    private static partial void LogFailure(ILogger log, string id, Exception exception);

    private sealed class OpeningProgress(Action<string> report) : IProgress<string>
    {
        public void Report(string value) => report(value);
    }
}
