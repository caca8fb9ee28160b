using System.Globalization;

namespace MuseAtelier;

/// <summary>A request that cannot be painted.</summary>
public abstract class PictureRequestException(string found, string expected, string remedy) : MuseAtelierException(found, expected, remedy)
{
    /// <summary>Makes sure that a request is in range, before a model is opened for it; an <see cref="Atelier"/> does the same.</summary>
    /// <exception cref="PictureRequestException">It is not.</exception>
    /// <exception cref="ArgumentNullException">The request is null, or a member of it that may not be.</exception>
    public static void ThrowIfUnpaintable(PictureRequest request) => RequestRules.Check(request);
}

/// <summary>A width or height out of range or not a multiple of 8.</summary>
public sealed class PictureSizeException(int width, int height)
    : PictureRequestException(
        $"the size is {width}x{height} px",
        "multiples of 8 from 256 to 2048 a side",
        $"The nearest size is {Nearest(width)}x{Nearest(height)}.")
{
    /// <summary>The width asked for, in px.</summary>
    public int Width { get; } = width;

    /// <summary>The height asked for, in px.</summary>
    public int Height { get; } = height;

    private static int Nearest(int size) => (Math.Clamp(size, 256, 2048) + 4) / 8 * 8;
}

/// <summary>A number of steps out of range.</summary>
public sealed class StepCountException(int steps)
    : PictureRequestException($"the number of steps is {steps}", "1 to 1000", "Thirty is a good number for Euler ancestral.")
{
    /// <summary>The steps asked for.</summary>
    public int Steps { get; } = steps;
}

/// <summary>A guidance scale out of range.</summary>
public sealed class GuidanceScaleException(float guidanceScale)
    : PictureRequestException(
        $"the guidance scale is {guidanceScale.ToString(CultureInfo.InvariantCulture)}",
        "a number from 1 to 100",
        "Seven is a good scale; 1 means no guidance.")
{
    /// <summary>The guidance scale asked for.</summary>
    public float GuidanceScale { get; } = guidanceScale;
}

/// <summary>A frame of a style or in a place that there is not.</summary>
public sealed class FrameException(PictureFrame frame)
    : PictureRequestException(
        $"the frame is {frame.Style}, {frame.Placement}",
        $"one of {string.Join(", ", Enum.GetNames<FrameStyle>())}, {string.Join(" or ", Enum.GetNames<FramePlacement>())}",
        "Choose one of these, or no frame.")
{
    /// <summary>The frame asked for.</summary>
    public PictureFrame Frame { get; } = frame;
}

/// <summary>A prompt that is too long, or that is no Unicode text.</summary>
public sealed class PromptException : PictureRequestException
{
    private PromptException(string found, string expected, string remedy) : base(found, expected, remedy) { }

    internal static PromptException TooLong(string name, int length) => new(
        string.Create(CultureInfo.InvariantCulture, $"the {name} has {length} characters"),
        string.Create(CultureInfo.InvariantCulture, $"at most {RequestRules.LongestPrompt}"),
        "Shorten it; the model reads 75 tokens, which are about 300 Latin letters.");

    internal static PromptException Unpaired(string name, char unit, int index) => new(
        string.Create(CultureInfo.InvariantCulture, $"the {name} has an unpaired surrogate at index {index} (U+{(int)unit:X4})"),
        "Unicode text",
        "Remove it: it is one half of a character, and a picture's record could not hold it.");
}

/// <summary>A member of a request that is none of its choices.</summary>
public sealed class RequestChoiceException : PictureRequestException
{
    internal RequestChoiceException(string name, string value, IReadOnlyList<string> choices)
        : base($"{name} is {value}", $"one of {string.Join(", ", choices)}", "Choose one of these.") => Name = name;

    /// <summary>The member's name.</summary>
    public string Name { get; }
}

/// <summary>A number of the size conditioning out of range.</summary>
public sealed class ConditioningException(string name, int value)
    : PictureRequestException(
        string.Create(CultureInfo.InvariantCulture, $"{name} is {value} px"),
        "0 to 16384",
        "Give sizes that pictures have, or no conditioning for those of the picture itself.")
{
    /// <summary>The member's name.</summary>
    public string Name { get; } = name;

    /// <summary>The number asked for, in px.</summary>
    public int Value { get; } = value;
}
