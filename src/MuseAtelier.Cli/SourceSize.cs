using static System.FormattableString;

namespace MuseAtelier.Cli;

/// <summary>The size in which a picture is painted from a source if the command line names none.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
/// <param name="Notice">What the user is told about it; null if it is the source's own size.</param>
internal sealed record SourceSize(int Width, int Height, string? Notice)
{
    // The pixels that SDXL is trained with, and the longest side of pictures before a second pass.
    private const double MostPixels = 1024 * 1024;
    private const int LongestSide = 2048;

    /// <summary>The size for a source: its own in multiples of 8, but at most about 1024x1024 px in the same shape.</summary>
    /// <param name="name">Names the source.</param>
    /// <param name="width">Width of the source with its margins in px.</param>
    /// <param name="height">Height of the source with its margins in px.</param>
    public static SourceSize Of(string name, int width, int height)
    {
        double most = Math.Min(1, Math.Sqrt(MostPixels / ((double)width * height)));
        double longest = Math.Min(most, (double)LongestSide / Math.Max(width, height));
        double scale = Math.Max(longest, (double)RequestRules.SmallestSide / Math.Min(width, height));
        (int w, int h) = (Side(width * scale), Side(height * scale));
        return new SourceSize(w, h, (w, h) == (width, height) ? null : Describe(name, (width, height), (w, h), scale));
    }

    /// <summary>The other side of a picture of which one side is given, in the shape of a source.</summary>
    /// <param name="given">The side that is given, in px.</param>
    /// <param name="same">The source's side of the same direction.</param>
    /// <param name="other">The source's other side.</param>
    public static int Other(int given, int same, int other) => Side((double)given * other / same);

    private static int Side(double px)
    {
        double nearest = Math.Round(px / RequestRules.SizeMultiple, MidpointRounding.AwayFromZero) * RequestRules.SizeMultiple;
        return (int)Math.Clamp(nearest, RequestRules.SmallestSide, LongestSide);
    }

    private static string Describe(string name, (int Width, int Height) source, (int Width, int Height) picture, double scale)
    {
        string why = scale < 1 ? "about the 1024x1024 px that SDXL is trained with" : "the nearest size that can be painted";
        return Invariant($"{name} has {source.Width}x{source.Height} px: painted at {picture.Width}x{picture.Height}, {why}; ")
            + "--width and --height choose another size";
    }
}
