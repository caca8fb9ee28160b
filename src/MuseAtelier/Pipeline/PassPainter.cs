using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Paints the next batch of a series by a plan. A picture of two passes takes two series.</summary>
/// <param name="retry">Paints by a plan, and by a smaller one if memory runs out.</param>
/// <param name="meter">Measures the memory of the phases.</param>
/// <param name="sampling">Makes the recipe and the noise of each batch.</param>
internal sealed class PassPainter(MemoryRetry retry, PhaseMeter meter, ModelSampling sampling)
{
    /// <summary>Paints the next batch of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="plan">The plan, which is in force.</param>
    /// <param name="first">Index of the first picture of the series that is not painted yet.</param>
    /// <param name="deliver">Receives each picture as soon as it is painted.</param>
    /// <param name="progress">Receives a report of every step.</param>
    /// <param name="notices">Sentences for the user that belong to every picture; owned by this call.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(
        PictureSeries series, ResidencyPlan plan, int first, Action<Picture> deliver, PassProgress progress, List<string> notices,
        CancellationToken cancellationToken)
    {
        var run = new SeriesRun(series, first, deliver, progress, notices, sampling);
        run.LimitTo(plan.BatchSize);
        meter.Reset();
        retry.Paint(run, plan, cancellationToken);
    }
}
