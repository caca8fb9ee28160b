using MuseAtelier.Sampling;

namespace MuseAtelier.Server.Jobs;

/// <summary>The times that pictures took, from which those of later ones are estimated. Safe for concurrent use.</summary>
internal sealed class PaintTimes
{
    private const int MostSizes = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Model, int Pixels), Times> _times = [];
    private readonly Dictionary<string, (int Pixels, Times Times)> _last = new(StringComparer.Ordinal);

    /// <summary>
    /// The work of a picture: evaluations of the UNet, of which those for both prompts count twice, and those of a second pass as often as
    /// its picture is larger.
    /// </summary>
    public static double WorkOf(PictureRequest request)
    {
        try
        {
            if (request.Hires is null) return WorkOfPass(request, span: null);
            PictureRequest first = HiresRules.FirstPassOf(request), second = HiresRules.SecondPassOf(request);
            double larger = (double)second.Width * second.Height / ((double)first.Width * first.Height);
            return WorkOfPass(first, span: null) + (larger * WorkOfPass(second, HiresRules.SpanOf(request)));
        }
        catch (Exception exception) when (exception is PictureRequestException or ArgumentException)
        {
            // Such a request fails when it is painted.
            return request.Steps;
        }
    }

    private static double WorkOfPass(PictureRequest pass, StepSpan? span)
    {
        int all = SamplerCatalog.BuiltIn.EvaluationsOf(pass, span) ?? pass.Steps;
        int alone = SamplerCatalog.BuiltIn.EvaluationsOfThePromptAlone(pass, span) ?? 0;
        return (2 * all) - alone;
    }

    /// <summary>Takes the times of a picture.</summary>
    public void Note(string model, Picture picture)
    {
        double work = WorkOf(picture.Request);
        if (work <= 0) return;
        PictureTimings timings = picture.Timings;
        var times = new Times(timings.Denoising.TotalSeconds / work, (timings.Text + timings.Decoding).TotalSeconds);
        int pixels = picture.Request.Width * picture.Request.Height;
        lock (_gate)
        {
            if (_times.Count >= MostSizes) _times.Clear();
            _times[(model, pixels)] = times;
            _last[model] = (pixels, times);
        }
    }

    /// <summary>
    /// The expected times of a picture: as the last one of its model and size took, or else in proportion to another size; null if the
    /// model has painted nothing yet.
    /// </summary>
    public Times? Of(string model, PictureRequest request)
    {
        int pixels = request.Width * request.Height;
        lock (_gate)
        {
            if (_times.TryGetValue((model, pixels), out Times known)) return known;
            if (!_last.TryGetValue(model, out (int Pixels, Times Times) last)) return null;
            double scale = (double)pixels / last.Pixels;
            return new Times(last.Times.UnitSeconds * scale, last.Times.FixedSeconds * scale);
        }
    }

    /// <summary>The times of a picture.</summary>
    /// <param name="UnitSeconds">Seconds for a unit of work.</param>
    /// <param name="FixedSeconds">Seconds for the prompts and for decoding.</param>
    internal readonly record struct Times(double UnitSeconds, double FixedSeconds)
    {
        /// <summary>Seconds for a picture of so much work.</summary>
        public double Of(double work) => (UnitSeconds * work) + FixedSeconds;
    }
}
