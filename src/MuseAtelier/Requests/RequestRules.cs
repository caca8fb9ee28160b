using System.Text;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>The ranges of a request. A value out of range is never changed silently: it is refused with a legal value near it.</summary>
internal static class RequestRules
{
    public const int SizeMultiple = 8;
    public const int SmallestSide = 256;
    public const int LargestSide = 4096;
    public const int MostSteps = 1000;
    public const float LargestGuidanceScale = 100;
    public const int MostCommaBacktrack = 75;

    /// <summary>The widest margin by which a source is extended, in px.</summary>
    public const int WidestMargin = 2048;

    /// <summary>The largest standard deviation of a mask's blur, in px.</summary>
    public const int WidestBlur = 64;

    /// <summary>The widest surroundings of a mask that are painted with it, in px.</summary>
    public const int WidestPadding = 1024;

    /// <summary>
    /// The most UTF-16 code units in a prompt. A picture's record has room for two such prompts, however they are escaped.
    /// </summary>
    public const int LongestPrompt = 1 << 18;

    /// <summary>The largest number of the size conditioning, in px.</summary>
    public const int LargestConditioning = 1 << 14;

    /// <summary>
    /// Checks that every member of a request is in range, and that it names a sampler and a noise source of this library.
    /// </summary>
    /// <exception cref="PictureRequestException">A member is out of range.</exception>
    /// <exception cref="ArgumentNullException">A member is null that must not be.</exception>
    public static void Check(PictureRequest request) => Check(request, RequestNames.BuiltIn);

    /// <summary>Checks that every member of a request is in range.</summary>
    /// <param name="request">The request.</param>
    /// <param name="names">The samplers and noise sources that it can name.</param>
    /// <exception cref="PictureRequestException">A member is out of range.</exception>
    /// <exception cref="ArgumentNullException">A member is null that must not be.</exception>
    public static void Check(PictureRequest request, RequestNames names)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckPrompt("prompt", nameof(request.Prompt), request.Prompt);
        CheckPrompt("negative prompt", nameof(request.NegativePrompt), request.NegativePrompt);
        CheckChoice(nameof(request.PromptSyntax), request.PromptSyntax);
        CheckChoice(nameof(request.Emphasis), request.Emphasis);
        CheckChoice(nameof(request.EmptyNegative), request.EmptyNegative);
        CheckNumber(nameof(request.CommaBacktrack), request.CommaBacktrack, 0, MostCommaBacktrack, 20);
        CheckNumber(nameof(request.ClipSkip), request.ClipSkip, 1, ConditioningNames.MostClipSkip, ConditioningNames.UsualClipSkip);
        CheckSampling(request, names);
        ArgumentNullException.ThrowIfNull(request.Schedule);
        CheckChoice(nameof(request.Schedule.Spacing), request.Schedule.Spacing);
        CheckChoice(nameof(request.Dialect), request.Dialect);
        CheckChoice(nameof(request.Prediction), request.Prediction);
        CheckFrame(request.Frame);
        CheckConditioning(request.Conditioning);
        CheckSize(request.Width, request.Height);
        CheckSteps(request.Steps);
        if (request.Schedule.Timesteps is { } timesteps && timesteps.Count != request.Steps)
            throw new TimestepCountException(timesteps.Count, request.Steps);
        if (request.Schedule is { Timesteps: not null, Karras: true }) throw new KarrasTimestepsException();
        bool isTooLong = request.Sampler.EvaluatesTwice && request.Steps > MostSteps / 2;
        if (isTooLong) throw new StepCountException(request.Steps, MostSteps / 2);

        CheckGuidance(request);
        CheckNumber(nameof(request.VariationStrength), request.VariationStrength, 0, 1, 0);
        if (request.Eta is { } eta) CheckNumber(nameof(request.Eta), eta, 0, 1, 1);
        LoraRules.Check(request);
        CheckSource(request);
        HiresRules.Check(request, names);
    }

    /// <summary>Checks that a slot lies in a batch of legal size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The batch size or the index is out of range.</exception>
    public static void Check(BatchSlot place)
    {
        ArgumentNullException.ThrowIfNull(place);
        if (!place.Exists)
            throw new ArgumentOutOfRangeException(
                nameof(place), place, $"A batch has 1 to {BatchSlot.LargestBatch} pictures, counted from 0.");
    }

    public static void CheckSize(int width, int height)
    {
        if (!IsSide(width) || !IsSide(height)) throw new PictureSizeException(width, height);
    }

    public static void CheckSteps(int steps)
    {
        if (steps is < 1 or > MostSteps) throw new StepCountException(steps);
    }

    public static void CheckFrame(PictureFrame? frame)
    {
        if (frame is not null && !(Enum.IsDefined(frame.Style) && Enum.IsDefined(frame.Placement))) throw new FrameException(frame);
    }

    private static void CheckPrompt(string name, string member, string text)
    {
        ArgumentNullException.ThrowIfNull(text, member);
        if (text.Length > LongestPrompt) throw PromptException.TooLong(name, text.Length);
        for (int i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out _, out int units) != System.Buffers.OperationStatus.Done)
                throw PromptException.Unpaired(name, text[i], i);
            i += units;
        }
    }

    private static void CheckChoice<T>(string name, T value) where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw new RequestChoiceException(name, value.ToString(), Enum.GetNames<T>());
    }

    // The negated pattern also refuses NaN.
    private static void CheckNumber(string name, float value, float least, float most, float usual)
    {
        if (!(value >= least && value <= most)) throw new RequestNumberException(name, value, least, most, usual);
    }

    private static void CheckGuidance(PictureRequest request)
    {
        if (!(request.GuidanceScale is 0 or (>= 1 and <= LargestGuidanceScale))) throw new GuidanceScaleException(request.GuidanceScale);
        CheckNumber(nameof(request.GuidanceRescale), request.GuidanceRescale, 0, 1, 0.7f);
        CheckNumber(nameof(request.GuidanceFrom), request.GuidanceFrom, 0, 1, 0);
        CheckNumber(nameof(request.GuidanceTo), request.GuidanceTo, request.GuidanceFrom, 1, 1);
    }

    private static void CheckSampling(PictureRequest request, RequestNames names)
    {
        if (!names.Samplers.Contains(request.Sampler))
        {
            IEnumerable<string> samplers = names.Samplers.Select(name => name.Id);
            throw new RequestChoiceException(nameof(request.Sampler), request.Sampler.Id, [.. samplers]);
        }

        if (!names.NoiseSources.Contains(request.NoiseSource))
        {
            IEnumerable<string> sources = names.NoiseSources.Select(name => name.Id);
            throw new RequestChoiceException(nameof(request.NoiseSource), request.NoiseSource.Id, [.. sources]);
        }
    }

    private static void CheckSource(PictureRequest request)
    {
        if (request.Source is not { } source) return;
        ArgumentNullException.ThrowIfNull(source.Image);
        CheckChoice(nameof(source.Fit), source.Fit);
        CheckNumber(nameof(source.Strength), source.Strength, 0, 1, 0.6f);
        CheckNumber(nameof(source.Extend.Left), source.Extend.Left, 0, WidestMargin, 0);
        CheckNumber(nameof(source.Extend.Top), source.Extend.Top, 0, WidestMargin, 0);
        CheckNumber(nameof(source.Extend.Right), source.Extend.Right, 0, WidestMargin, 0);
        CheckNumber(nameof(source.Extend.Bottom), source.Extend.Bottom, 0, WidestMargin, 0);
        if (source.Mask is { } mask) CheckMask(mask);
        if (!source.Image.HasPixels) throw new SourceMissingException("source", source.Image.Sha256, source.Image.Name);
        _ = SourceSizeException.ThrowIfTooLarge(source);
        MaskEmptyException.ThrowIfEmpty(source, request.Dialect);
        var span = StepSpan.Of(request);
        if (request.Sampler.EvaluatesTwice && span.Schedule > MostSteps / 2)
            throw StepCountException.OfStrength(span.Run, source.Strength, span.Schedule);
    }

    private static void CheckMask(InpaintMask mask)
    {
        ArgumentNullException.ThrowIfNull(mask.Image);
        CheckNumber(nameof(mask.Blur), mask.Blur, 0, WidestBlur, 4);
        CheckChoice(nameof(mask.Content), mask.Content);
        if (mask.OnlyMaskedPadding is { } padding)
            CheckNumber(nameof(mask.OnlyMaskedPadding), padding, 0, WidestPadding, 32);
        if (!mask.Image.HasPixels) throw new SourceMissingException("mask", mask.Image.Sha256, mask.Image.Name);
    }

    private static void CheckConditioning(MicroConditioning? conditioning)
    {
        if (conditioning is null) return;
        Check(nameof(conditioning.OriginalWidth), conditioning.OriginalWidth);
        Check(nameof(conditioning.OriginalHeight), conditioning.OriginalHeight);
        Check(nameof(conditioning.CropLeft), conditioning.CropLeft);
        Check(nameof(conditioning.CropTop), conditioning.CropTop);
        Check(nameof(conditioning.TargetWidth), conditioning.TargetWidth);
        Check(nameof(conditioning.TargetHeight), conditioning.TargetHeight);

        static void Check(string name, int value)
        {
            if (value is < 0 or > LargestConditioning) throw new ConditioningException(name, value);
        }
    }

    private static bool IsSide(int size) => size is >= SmallestSide and <= LargestSide && size % SizeMultiple == 0;
}
