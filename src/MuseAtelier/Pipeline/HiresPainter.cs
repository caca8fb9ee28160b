using System.Diagnostics;
using MuseAtelier.Diagnostics;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Paints pictures of two passes (AUTOMATIC1111, modules/processing.py, StableDiffusionProcessingTxt2Img.sample_hr_pass): a batch at the
/// request's size, then each of its pictures again at the larger size, with new noise of the same seed.
/// </summary>
/// <param name="passes">Paints a pass.</param>
/// <param name="enlarger">Enlarges pictures between the passes; borrowed.</param>
/// <param name="planner">Finds plans.</param>
/// <param name="sampling">Tells the number of evaluations.</param>
/// <param name="diagnostics">Receives a message of each picture; borrowed.</param>
internal sealed class HiresPainter(
    PassPainter passes, PassEnlarger enlarger, BatchPlanner planner, ModelSampling sampling, AtelierDiagnostics diagnostics)
{
    /// <summary>Paints the next batch of a series.</summary>
    /// <param name="series">The series, whose request has a second pass.</param>
    /// <param name="first">Index of the first picture of the series that is not painted yet.</param>
    /// <param name="deliver">Receives each picture as soon as its second pass is painted.</param>
    /// <param name="progress">Receives a report of every step.</param>
    /// <param name="notices">Sentences for the user that belong to every picture.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(
        PictureSeries series, int first, Action<Picture> deliver, PassProgress progress, IReadOnlyList<string> notices,
        CancellationToken cancellationToken)
    {
        PictureRequest opened = enlarger.Open(series.Request, cancellationToken);

        // The larger pass is planned first, so that a budget that is too small for it is refused before anything is painted.
        var both = HiresSeries.Of(series);
        List<string> all = [.. notices];
        both = both.InTiles(planner.Find(both, all).Second!.Decoding);
        int before = sampling.Catalogs.EvaluationsOf(both.First.Request);
        int after = sampling.Catalogs.EvaluationsOf(both.Second.Request, both.Second.Span);
        int tiles = enlarger.TilesOf(opened, both.Second.Request);
        PassProgress ofSecond = progress.Second(before, tiles);
        List<Picture> painted = [];
        try
        {
            ResidencyPlan plan = planner.ApplyFirst(both, all);
            passes.Paint(both.First, plan, first, painted.Add, progress.First(after, tiles), all, cancellationToken);
            for (int i = 0; i < painted.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                PictureRequest request = opened.InSeries(first + i);
                long begin = Stopwatch.GetTimestamp();
                int index = first + i;
                PictureSeries second = enlarger.Enlarge(
                    painted[i], request, both.Second, tile => ofSecond.ReportTile(tile, after, index), cancellationToken);
                TimeSpan enlarging = Stopwatch.GetElapsedTime(begin);
                Picture earlier = painted[i];
                List<string> later = [.. notices];
                passes.Paint(
                    second, planner.ApplySecond(both, later), index,
                    picture => Finish(PassJoin.Join(request, earlier, picture, enlarging), deliver),
                    ofSecond, later, cancellationToken);
            }
        }
        finally
        {
            foreach (Picture picture in painted) picture.Dispose();
        }
    }

    private void Finish(Picture picture, Action<Picture> deliver)
    {
        deliver(picture);
        diagnostics.Metrics.PictureDelivered();
        PictureRequest request = picture.Request;
        AtelierLog.PictureFinished(
            diagnostics.Logger, diagnostics.Name, picture.Width, picture.Height, request.Steps, request.Seed,
            picture.Timings.Total.TotalSeconds);
    }
}
