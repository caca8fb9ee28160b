using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The pictures of a series that one call paints, and how far it has come. A picture that was delivered is not painted again if memory runs
/// out after it.
/// </summary>
/// <param name="series">The series.</param>
/// <param name="first">Index of the first picture to paint.</param>
/// <param name="deliver">Receives each picture as soon as it is decoded.</param>
/// <param name="progress">Receives a report of every step.</param>
/// <param name="notices">Sentences for the user that belong to every picture of the call.</param>
/// <param name="sampling">Makes the recipe and the noise of each batch.</param>
internal sealed class SeriesRun(
    PictureSeries series,
    int first,
    Action<Picture> deliver,
    PassProgress progress,
    List<string> notices,
    ModelSampling sampling)
{
    private readonly int _evaluations = sampling.RecipeOf(series.Request, span: series.Span).EvaluationsRun;
    private int _next = first;
    private int _end = first;

    /// <summary>The series.</summary>
    public PictureSeries Series => series;

    /// <summary>Sentences for the user that belong to every picture from now on.</summary>
    public List<string> Notices => notices;

    /// <summary>Index of the next picture in the series.</summary>
    public int Next => _next;

    /// <summary>The number of pictures that are not painted yet.</summary>
    public int Left => _end - _next;

    /// <summary>Limits the call to the next batch of the series.</summary>
    /// <param name="batchSize">The number of pictures in a batch.</param>
    public void LimitTo(int batchSize) => _end = Math.Min(_next + batchSize, series.Wanted);

    /// <summary>The next batch of the pictures that are left.</summary>
    /// <param name="plan">The plan to paint it by.</param>
    public PictureBatch NextBatch(ResidencyPlan plan)
    {
        int count = Math.Min(plan.BatchSize, Left);
        PictureRequest[] requests = [.. Enumerable.Range(_next, count).Select(series.Picture)];
        BatchSlot slot = series.Slot ?? new BatchSlot(count, 0);
        return new PictureBatch(this, plan, requests, slot, sampling);
    }

    /// <summary>Hands over a finished picture.</summary>
    public void Deliver(Picture picture)
    {
        _next++;
        deliver(picture);
    }

    /// <summary>Whether anybody receives reports.</summary>
    public bool HasProgress => progress.HasSink;

    /// <summary>Reports progress.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="step">The number of finished evaluations.</param>
    /// <param name="preview">A preview of the latents, or null.</param>
    /// <param name="count">The number of pictures that the report is about.</param>
    public void Report(GenerationPhase phase, int step, LatentPreview? preview, int count) =>
        progress.Report(phase, step, _evaluations, preview, _next, count);
}
