namespace MuseAtelier;

/// <summary>The rules of a second pass, and the request that it is painted by.</summary>
internal static class HiresRules
{
    /// <summary>The largest factor of width and height.</summary>
    public const float LargestScale = 8;

    /// <summary>Checks that a request's second pass is in range. Does nothing if it has none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="names">The samplers and noise sources that it can name.</param>
    /// <exception cref="PictureRequestException">A member is out of range.</exception>
    /// <exception cref="ArgumentNullException">A member is null that must not be.</exception>
    public static void Check(PictureRequest request, RequestNames names)
    {
        if (request.Hires is not { } hires) return;
        ArgumentNullException.ThrowIfNull(hires.Upscaler);
        if (request.Source is { } source && (source.Mask is not null || source.Extend != default)) throw HiresException.Masked();
        // The negated patterns also refuse NaN.
        if (!(hires.Scale is > 1 and <= LargestScale)) throw HiresException.OfScale(hires.Scale);
        if (!(hires.Strength is > 0 and <= 1)) throw HiresException.OfStrength(hires.Strength);
        (int width, int height) = hires.SizeOf(request.Width, request.Height);
        if (width > RequestRules.LargestSide || height > RequestRules.LargestSide)
            throw HiresException.TooLarge(hires.Scale, width, height, LargestScaleOf(request));
        if (width <= request.Width && height <= request.Height) throw HiresException.TooSmall(hires.Scale, width, height);
        if (hires.Steps is { } steps) RequestRules.CheckSteps(steps);
        PictureRequest second = SecondPassOf(request);
        if (second.Schedule.Timesteps is { } list) second = second with { Steps = list.Count };
        RequestRules.Check(second, names);
        StepSpan span = SpanOf(request);
        if (second.Sampler.EvaluatesTwice && span.Schedule > RequestRules.MostSteps / 2)
            throw StepCountException.OfStrength(span.Run, hires.Strength, span.Schedule);
    }

    /// <summary>Checks that the file or the package of a request's upscaler is there, before the picture waits for its turn.</summary>
    /// <exception cref="HiresException">The file is missing.</exception>
    public static void CheckFile(PictureRequest request)
    {
        if (request.Hires?.Upscaler.Path is { } path && !Path.Exists(path)) throw HiresException.NoFile(path);
    }

    /// <summary>The request without its second pass, and without its frame, which is painted with the last pass.</summary>
    public static PictureRequest FirstPassOf(PictureRequest request) => request with { Hires = null, Frame = null };

    /// <summary>
    /// The request of the second pass: the same seed at the larger size, with the members of <see cref="PictureRequest.Hires"/> in place of
    /// the request's own. Its steps are those that run; <see cref="SpanOf"/> has those of the schedule.
    /// </summary>
    public static PictureRequest SecondPassOf(PictureRequest request)
    {
        HiresPass hires = request.Hires!;
        (int width, int height) = hires.SizeOf(request.Width, request.Height);
        return request with
        {
            Width = width,
            Height = height,
            Prompt = hires.Prompt ?? request.Prompt,
            NegativePrompt = hires.NegativePrompt ?? request.NegativePrompt,
            Steps = hires.Steps ?? request.Steps,
            Sampler = hires.Sampler ?? request.Sampler,
            Schedule = hires.Schedule ?? request.Schedule,
            GuidanceScale = hires.GuidanceScale ?? request.GuidanceScale,
            Loras = hires.Loras ?? request.Loras,
            Source = null,
            Hires = null,
        };
    }

    /// <summary>
    /// The steps of the second pass. In every dialect these are exactly the steps that are asked for, as in AUTOMATIC1111's hires fix. A
    /// schedule that is a list of timesteps cannot be longer than it is: of N timesteps the last int(N d) run, and at least one, with d for
    /// the strength.
    /// </summary>
    /// <exception cref="StepCountException">The schedule would have too many steps.</exception>
    public static StepSpan SpanOf(PictureRequest request)
    {
        HiresPass hires = request.Hires!;
        return (hires.Schedule ?? request.Schedule).Timesteps is { } list
            ? StepSpan.Of(SamplingDialect.Diffusers, list.Count, hires.Strength)
            : StepSpan.Exactly(hires.Steps ?? request.Steps, hires.Strength);
    }

    private static double LargestScaleOf(PictureRequest request) =>
        Math.Floor(100.0 * RequestRules.LargestSide / Math.Max(request.Width, request.Height)) / 100;
}
