using System.Globalization;
using System.Numerics.Tensors;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A request that is out of range.</summary>
public abstract class PictureRequestException : MuseAtelierException
{
    private protected PictureRequestException(string found, string expected, string remedy)
        : base(found, expected, remedy)
    {
    }

    /// <summary>
    /// Checks that a request is in range, before a model is opened for it. An <see cref="Atelier"/> does the same, and also reads the
    /// syntax inside of prompts.
    /// </summary>
    /// <param name="request">The request. It may name samplers and noise sources of this library only.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="ArgumentNullException">The request is null, or a member that must not be null is.</exception>
    public static void ThrowIfUnpaintable(PictureRequest request) => RequestRules.Check(request);
}

/// <summary>A width or height that is out of range or not a multiple of 8.</summary>
public sealed class PictureSizeException : PictureRequestException
{
    internal PictureSizeException(int width, int height)
        : base(
            $"the size is {width}x{height} px",
            "multiples of 8 from 256 to 4096 a side",
            $"The nearest size is {Nearest(width)}x{Nearest(height)}.")
    {
        Width = width;
        Height = height;
    }

    /// <summary>The requested width in px.</summary>
    public int Width { get; }

    /// <summary>The requested height in px.</summary>
    public int Height { get; }

    private static int Nearest(int size) => (Math.Clamp(size, RequestRules.SmallestSide, RequestRules.LargestSide) + 4) / 8 * 8;
}

/// <summary>A number of steps that is out of range.</summary>
public sealed class StepCountException : PictureRequestException
{
    internal StepCountException(int steps, int most = 1000)
        : base(
            $"the number of steps is {steps}",
            $"1 to {most}",
            $"Choose one of these{(most < 1000 ? ", or another sampler or schedule" : "")}; 20 to 30 suit most samplers.") =>
            Steps = steps;

    private StepCountException(int steps, string found, string expected, string remedy) : base(found, expected, remedy) => Steps = steps;

    /// <summary>The requested number of steps.</summary>
    public int Steps { get; }

    internal static StepCountException OfStrength(int steps, float strength, double schedule) => new(
        steps,
        Invariant($"{steps} steps at strength {strength} are the last ones of a schedule of {Math.Floor(schedule)} steps"),
        Invariant($"a schedule of at most {RequestRules.MostSteps} steps"),
        "Raise the strength, or take fewer steps.");
}

/// <summary>A guidance scale that is out of range.</summary>
public sealed class GuidanceScaleException : PictureRequestException
{
    internal GuidanceScaleException(float guidanceScale)
        : base(
            $"the guidance scale is {guidanceScale.ToString(CultureInfo.InvariantCulture)}",
            "0, or a number from 1 to 100",
            "Seven is a good scale; 0 and 1 mean no guidance.") =>
            GuidanceScale = guidanceScale;

    /// <summary>The requested guidance scale.</summary>
    public float GuidanceScale { get; }
}

/// <summary>A list of timesteps that has not as many numbers as the request has steps.</summary>
public sealed class TimestepCountException : PictureRequestException
{
    internal TimestepCountException(int timesteps, int steps)
        : base(
            Invariant($"the list of timesteps has {timesteps} numbers"),
            Invariant($"one for each of the {steps} steps"),
            Invariant($"Set the number of steps to {timesteps}, or change the list."))
    {
        Timesteps = timesteps;
        Steps = steps;
    }

    /// <summary>The numbers of the list.</summary>
    public int Timesteps { get; }

    /// <summary>The steps of the request.</summary>
    public int Steps { get; }
}

/// <summary>A list of timesteps together with Karras's noise levels, which would replace those of the list.</summary>
public sealed class KarrasTimestepsException : PictureRequestException
{
    internal KarrasTimestepsException()
        : base(
            "the schedule has a list of timesteps and Karras's noise levels",
            "one of the two",
            "Leave out the list of timesteps, or Karras's noise levels.")
    {
    }
}

/// <summary>A number of a request that is out of range.</summary>
public sealed class RequestNumberException : PictureRequestException
{
    internal RequestNumberException(string name, float value, float least, float most, float usual)
        : base(
            Invariant($"{name} is {value}"),
            Invariant($"a number from {least} to {most}"),
            Invariant($"The usual number is {usual}."))
    {
        Name = name;
        Value = value;
    }

    /// <summary>The member's name.</summary>
    public string Name { get; }

    /// <summary>The requested number.</summary>
    public float Value { get; }
}

/// <summary>A clip skip beyond the layers of the model's text encoders.</summary>
public sealed class ClipSkipException : PictureRequestException
{
    internal ClipSkipException(int clipSkip, int most)
        : base(
            Invariant($"the clip skip is {clipSkip}"),
            Invariant($"a number from 1 to {most}: the model's text encoders have no more layers"),
            "SDXL's is 2.")
    {
        ClipSkip = clipSkip;
        Most = most;
    }

    /// <summary>The requested clip skip.</summary>
    public int ClipSkip { get; }

    /// <summary>The largest one that both text encoders allow.</summary>
    public int Most { get; }

    internal static void ThrowIfBeyond(int clipSkip, int most)
    {
        if (clipSkip > most) throw new ClipSkipException(clipSkip, most);
    }
}

/// <summary>A frame with an unknown style or placement.</summary>
public sealed class FrameException : PictureRequestException
{
    internal FrameException(PictureFrame frame)
        : base(
            $"the frame is {frame.Style}, {frame.Placement}",
            $"one of {string.Join(", ", Enum.GetNames<FrameStyle>())}, {string.Join(" or ", Enum.GetNames<FramePlacement>())}",
            "Choose one of these, or no frame.") =>
            Frame = frame;

    /// <summary>The requested frame.</summary>
    public PictureFrame Frame { get; }
}

/// <summary>A prompt that is too long, that is not Unicode text, or whose syntax cannot be read.</summary>
public sealed class PromptException : PictureRequestException
{
    private PromptException(string found, string expected, string remedy) : base(found, expected, remedy) { }

    internal static PromptException TooLong(string name, int length) => new(
        Invariant($"the {name} has {length} characters"),
        Invariant($"at most {RequestRules.LongestPrompt}"),
        Invariant($"Shorten it; a chunk of {TextChunk.Capacity} tokens has about 300 Latin letters."));

    internal static PromptException TooManyChunks(string name, int most) => new(
        Invariant($"the {name} takes more than {most} chunks of {TextChunk.Capacity} tokens"),
        Invariant($"at most {most} chunks, which are {most * TextChunk.Capacity} tokens"),
        "Shorten it, or take out BREAKs: every BREAK begins a chunk.");

    internal static PromptException NotANumber(string name, string weight) => new(
        Invariant($"the {name} has the weight '{Shorten(weight)}'"),
        "a number such as 1.2",
        "Write (text:1.2), or \\( and \\) for parentheses that are text.");

    internal static PromptException WeightOutOfRange(string name, double weight, double largest) => new(
        Invariant($"the {name} has the weight {weight}"),
        Invariant($"a number from {-largest} to {largest}"),
        "Weights from 0.5 to 1.5 are usual. Weights of nested brackets are multiplied.");

    internal static PromptException TooManySpans(string name, int most) => new(
        Invariant($"the {name} has more than {most} parts of different weight"),
        Invariant($"at most {most}"),
        "Take out brackets, or choose the plain syntax, in which they are text.");

    internal static PromptException TooDeep(string name, int most) => new(
        Invariant($"the {name} has parentheses nested deeper than {most}"),
        Invariant($"at most {most} levels"),
        "Take out parentheses, or choose the plain syntax, in which they are text.");

    internal static PromptException EditingTooDeep(string name, int most) => new(
        Invariant($"the {name} has prompt editing nested deeper than {most}"),
        Invariant($"at most {most} levels"),
        "Take out square brackets, or choose the plain syntax, in which they are text.");

    internal static PromptException TooManyVersions(string name, int most) => new(
        Invariant($"the {name} has more than {most} versions over the steps"),
        Invariant($"at most {most}; the versions of all parts and of the negative prompt are combined"),
        "Take out prompt editing such as [a:b:0.5] or alternation such as [a|b].");

    internal static PromptException TooManyParts(string name, int most) => new(
        Invariant($"the {name} has more than {most} parts between the words AND"),
        Invariant($"at most {most}"),
        "Take out an AND; in lower case it is a word.");

    internal static PromptException TooManyRows(int parts, int pictures, int most) => new(
        Invariant($"the prompt has {parts} parts between the words AND, and the picture's batch has {pictures} pictures"),
        Invariant($"at most {most} pictures in a batch of such a prompt"),
        "Paint the picture in a smaller batch. MuseAtelier paints no such batch, so a record of one is not its own.");

    internal static PromptException TooManyRowsForSize(int parts, int width, int height, int most) => new(
        Invariant($"the prompt has {parts} parts between the words AND, and the picture has {width}x{height} px"),
        Invariant($"at most {most} parts at this size"),
        "Take out an AND, or paint a smaller picture.");

    internal static PromptException Unpaired(string name, char unit, int index) => new(
        Invariant($"the {name} has an unpaired surrogate at index {index} (U+{(int)unit:X4})"),
        "Unicode text",
        "Remove it: it is one half of a character, and a picture's record could not hold it.");

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 39), "…");
}

/// <summary>A member of a request whose value is not one of its choices.</summary>
public sealed class RequestChoiceException : PictureRequestException
{
    internal RequestChoiceException(string name, string value, IReadOnlyList<string> choices)
        : base($"{name} is {value}", $"one of {string.Join(", ", choices)}", RemedyFor(value, choices))
    {
        Name = name;
        Choices = choices;
    }

    /// <summary>The member's name.</summary>
    public string Name { get; }

    /// <summary>The values that the member can have.</summary>
    public IReadOnlyList<string> Choices { get; }

    private static string RemedyFor(string value, IReadOnlyList<string> choices) =>
        NearestNames.Question(NearestNames.Of(value, choices)) is { Length: > 0 } question ? question : "Choose one of these.";
}

/// <summary>A number of the size conditioning that is out of range.</summary>
public sealed class ConditioningException : PictureRequestException
{
    internal ConditioningException(string name, int value)
        : base(
            Invariant($"{name} is {value} px"),
            "0 to 16384",
            "Give sizes that pictures have, or no conditioning for those of the picture itself.")
    {
        Name = name;
        Value = value;
    }

    /// <summary>The member's name.</summary>
    public string Name { get; }

    /// <summary>The requested number in px.</summary>
    public int Value { get; }
}

/// <summary>A mask without any white, from which nothing would be painted anew.</summary>
public sealed class MaskEmptyException : PictureRequestException
{
    private MaskEmptyException(string? name, byte lightest, byte least)
        : base(
            Invariant($"the mask{(name is null ? "" : $" {name}")} has no white: its lightest value is {lightest} of 255"),
            Invariant($"a mask with values from {least} on, where the picture is painted anew"),
            "Paint white what is to change, or leave out the mask to change the whole picture.") =>
            Lightest = lightest;

    /// <summary>The lightest value of the mask, 0 to 255.</summary>
    public byte Lightest { get; }

    /// <summary>Checks the mask of a source, if it has one with pixels. Margins of an extended source count as white.</summary>
    /// <exception cref="MaskEmptyException">The mask has no white.</exception>
    internal static void ThrowIfEmpty(PictureSource source, SamplingDialect dialect)
    {
        if (source.Mask is not { Image: { HasPixels: true } mask } || source.Extend != default) return;
        // ComfyUI paints where a mask is grey in part; the others make it black and white at half.
        byte least = dialect == SamplingDialect.Comfy ? (byte)1 : (byte)128;
        ReadOnlySpan<byte> pixels = mask.Pixels.Span;
        if (pixels.IndexOfAnyInRange(least, byte.MaxValue) < 0)
            throw new MaskEmptyException(mask.Name, TensorPrimitives.Max(pixels), least);
    }
}

/// <summary>A source that is too large to be painted from, with the margins by which it is extended.</summary>
public sealed class SourceSizeException : PictureRequestException
{
    /// <summary>The longest side of a source in px. JPEG files have no longer ones.</summary>
    internal const int LongestSide = 65_535;

    private SourceSizeException(long width, long height)
        : base(
            Invariant($"the source has {width}x{height} px with its margins"),
            Invariant($"at most {LongestSide} px a side, and {SourceImage.MostPixels} px in all"),
            "Scale it down, or extend it by less.")
    {
        Width = width;
        Height = height;
    }

    /// <summary>The source's width in px, with its margins.</summary>
    public long Width { get; }

    /// <summary>The source's height in px, with its margins.</summary>
    public long Height { get; }

    /// <summary>Checks the size of a source.</summary>
    /// <returns>The size with the margins.</returns>
    /// <exception cref="SourceSizeException">It is too large.</exception>
    internal static (int Width, int Height) ThrowIfTooLarge(PictureSource source)
    {
        long width = (long)source.Image.Width + source.Extend.Left + source.Extend.Right;
        long height = (long)source.Image.Height + source.Extend.Top + source.Extend.Bottom;
        if (width > LongestSide || height > LongestSide || width * height > SourceImage.MostPixels)
            throw new SourceSizeException(width, height);
        return ((int)width, (int)height);
    }
}

/// <summary>A source or a mask of which only the digest is known, so that nothing can be painted from it.</summary>
public sealed class SourceMissingException : PictureRequestException
{
    internal SourceMissingException(string role, string sha256, string? name)
        : base(
            Invariant($"the {role} is known by its digest {sha256[..12]} alone"),
            Invariant($"its pixels"),
            name is null ? Invariant($"Give the file of the {role}.") : Invariant($"Give the file of the {role}, which was named {name}."))
    {
        Role = role;
        Sha256 = sha256;
        Name = name;
    }

    /// <summary>What the image is for: source or mask.</summary>
    public string Role { get; }

    /// <summary>The digest of the image, as <see cref="SourceImage.Sha256"/> gives it.</summary>
    public string Sha256 { get; }

    /// <summary>The name of its file; null if unknown.</summary>
    public string? Name { get; }
}
