namespace MuseAtelier.Server.Requests;

/// <summary>The size at which a picture is painted from another one, where a client names none.</summary>
internal static class SourceSize
{
    private const int Most = 2048;

    /// <summary>A size of about the source's proportions and a square's area, within the limits of requests.</summary>
    /// <param name="width">Width of the source in px.</param>
    /// <param name="height">Height of the source in px.</param>
    /// <param name="best">The square's side in px, which the model paints best.</param>
    public static (int Width, int Height) Near(int width, int height, int best)
    {
        double scale = Math.Sqrt((double)best * best / ((double)width * height));
        return (SideOf(width * scale), SideOf(height * scale));
    }

    private static int SideOf(double side)
    {
        int rounded = (int)Math.Round(side / RequestRules.SizeMultiple) * RequestRules.SizeMultiple;
        return Math.Clamp(rounded, RequestRules.SmallestSide, Most);
    }
}
