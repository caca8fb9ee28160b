using System.Globalization;

namespace MuseAtelier;

/// <summary>A request that cannot be painted.</summary>
public abstract class PictureRequestException(string found, string expected, string remedy) : MuseAtelierException(found, expected, remedy)
{
    /// <summary>Makes sure that a request is in range, before a model is opened for it; an <see cref="Atelier"/> does the same.</summary>
    /// <exception cref="PictureRequestException">It is not.</exception>
    public static void ThrowIfUnpaintable(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestRules.Check(request);
    }
}

/// <summary>A width or height out of range or not a multiple of 8.</summary>
public sealed class PictureSizeException(int width, int height)
    : PictureRequestException($"the size is {width}x{height} px", "multiples of 8 from 256 to 2048 a side", $"The nearest size is {Nearest(width)}x{Nearest(height)}.")
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
    : PictureRequestException($"the guidance scale is {guidanceScale.ToString(CultureInfo.InvariantCulture)}", "a number from 1 to 100", "Seven is a good scale; 1 means no guidance.")
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
