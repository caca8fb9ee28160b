using System.Diagnostics;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Receives the reports of the engine about a job. The engine calls it on its own thread, so it only keeps the newest report and returns.
/// </summary>
/// <param name="entry">The job.</param>
/// <param name="previews">Receives the previews.</param>
/// <param name="reported">Called after each report; must return at once.</param>
internal sealed class JobProgress(JobEntry entry, PreviewWorker previews, Action reported) : IProgress<GenerationProgress>
{
    private Report? _latest;

    // When the first evaluation ended, and its number; used on the engine's thread alone.
    private long _countedSince;
    private int _countedFrom;

    /// <inheritdoc/>
    void IProgress<GenerationProgress>.Report(GenerationProgress value)
    {
        double? seconds = null;
        if (value.Phase != GenerationPhase.Denoising)
        {
            _countedSince = 0;
        }
        else if (_countedSince == 0)
        {
            _countedSince = Stopwatch.GetTimestamp();
            _countedFrom = value.Step;
        }
        else
        {
            seconds = Stopwatch.GetElapsedTime(_countedSince).TotalSeconds / Math.Max(1, value.Step - _countedFrom);
        }

        Volatile.Write(ref _latest, new Report(value, seconds));
        if (value.Preview is { } preview) previews.Offer(entry, preview);
        reported();
    }

    /// <summary>A job with the newest report in it.</summary>
    public Job AddTo(Job job)
    {
        if (Volatile.Read(ref _latest) is not { } report) return job;
        return job with
        {
            Step = report.Step,
            Steps = report.Steps,
            Tile = report.Tile,
            Tiles = report.Tiles,
            Phase = report.Phase.ToString().ToLowerInvariant(),
        };
    }

    /// <summary>
    /// Evaluations that are left of the present picture, and the seconds for each as measured in it; null if it is not known yet.
    /// </summary>
    public (int Left, double? Seconds)? Present()
    {
        if (Volatile.Read(ref _latest) is not { Steps: > 0 } report) return null;
        return (report.Steps - report.Step, report.StepSeconds);
    }

    private sealed record Report(GenerationPhase Phase, int Step, int Steps, int Tile, int Tiles, double? StepSeconds)
    {
        // Without the preview, which is large.
        public Report(GenerationProgress value, double? stepSeconds)
            : this(value.Phase, value.Step, value.Steps, value.Tile, value.Tiles, stepSeconds) { }
    }
}
