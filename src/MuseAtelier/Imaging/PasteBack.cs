namespace MuseAtelier.Imaging;

/// <summary>
/// Makes the result of what was painted from a source (AUTOMATIC1111, modules/processing.py, uncrop and apply_overlay): what was painted is
/// scaled back to its region, and laid over the source with the softened mask.
/// </summary>
internal static class PasteBack
{
    private const int Channels = 3;

    /// <summary>Makes the result. Where the mask is 0 it has the source's own bytes.</summary>
    /// <param name="prepared">The source that was painted from.</param>
    /// <param name="painted">[Height, Width, 3] sRGB that was decoded.</param>
    /// <param name="result">Receives [ResultHeight, ResultWidth, 3].</param>
    /// <exception cref="ArgumentException">A span has another length than its size says.</exception>
    public static void Composite(PreparedSource prepared, ReadOnlySpan<byte> painted, Span<byte> result)
    {
        if (painted.Length != (long)prepared.Width * prepared.Height * Channels)
            throw new ArgumentException($"{prepared.Width}x{prepared.Height} px are not {painted.Length} bytes.", nameof(painted));
        if (result.Length != (long)prepared.ResultWidth * prepared.ResultHeight * Channels)
            throw new ArgumentException(
                $"{prepared.ResultWidth}x{prepared.ResultHeight} px are not {result.Length} bytes.", nameof(result));
        if (prepared.Original.IsEmpty)
        {
            painted.CopyTo(result);
            return;
        }

        PixelRectangle region = prepared.Region;
        prepared.Original.Span.CopyTo(result);
        (int Width, int Height) size = (region.Width, region.Height);
        ReadOnlySpan<byte> scaled = size == (prepared.Width, prepared.Height) ? painted
            : SourceFitting.Fit(painted, Channels, (prepared.Width, prepared.Height), size, SourceFit.Crop, ResampleFilter.Lanczos);
        int stride = region.Width * Channels;
        for (int y = 0; y < region.Height; y++)
        {
            Span<byte> to = result.Slice(((region.Y + y) * prepared.ResultWidth + region.X) * Channels, stride);
            ReadOnlySpan<byte> from = scaled.Slice(y * stride, stride);
            if (prepared.Overlay.IsEmpty) from.CopyTo(to);
            else Blend(from, prepared.Overlay.Span.Slice(y * region.Width, region.Width), to);
        }
    }

    private static void Blend(ReadOnlySpan<byte> from, ReadOnlySpan<byte> overlay, Span<byte> to)
    {
        const int most = byte.MaxValue;
        for (int x = 0; x < overlay.Length; x++)
        {
            int opacity = overlay[x];
            if (opacity == 0) continue;
            for (int at = x * Channels; at < (x + 1) * Channels; at++)
                to[at] = (byte)((from[at] * opacity + to[at] * (most - opacity) + most / 2) / most);
        }
    }
}
