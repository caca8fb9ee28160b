namespace MuseAtelier.Imaging;

/// <summary>Adds margins to a picture.</summary>
internal static class SourceExtension
{
    /// <summary>Adds margins that repeat the pixels at the edges.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="margins">The margins.</param>
    /// <returns>[Top + height + Bottom, Left + width + Right, channels].</returns>
    public static byte[] Extend(ReadOnlySpan<byte> pixels, int channels, int width, int height, PictureMargins margins)
    {
        int newStride = (margins.Left + width + margins.Right) * channels;
        int newHeight = margins.Top + height + margins.Bottom;
        int inside = margins.Left * channels;
        int stride = width * channels;
        byte[] result = new byte[newStride * newHeight];
        for (int y = 0; y < newHeight; y++)
        {
            Span<byte> to = result.AsSpan(y * newStride, newStride);
            ReadOnlySpan<byte> from = pixels.Slice(Math.Clamp(y - margins.Top, 0, height - 1) * stride, stride);
            from.CopyTo(to[inside..]);
            Repeat(from[..channels], to[..inside]);
            Repeat(from[^channels..], to[(inside + stride)..]);
        }

        return result;
    }

    /// <summary>Adds margins that are masked to a mask.</summary>
    /// <param name="mask">[height, width]; empty for a mask that is 0 everywhere.</param>
    /// <param name="width">Width in px, without the margins.</param>
    /// <param name="height">Height in px, without the margins.</param>
    /// <param name="margins">The margins.</param>
    /// <returns>[Top + height + Bottom, Left + width + Right].</returns>
    public static byte[] ExtendMask(ReadOnlySpan<byte> mask, int width, int height, PictureMargins margins)
    {
        int newWidth = margins.Left + width + margins.Right;
        byte[] result = new byte[newWidth * (margins.Top + height + margins.Bottom)];
        result.AsSpan().Fill(byte.MaxValue);
        for (int y = 0; y < height; y++)
        {
            Span<byte> to = result.AsSpan((margins.Top + y) * newWidth + margins.Left, width);
            if (mask.IsEmpty) to.Clear();
            else mask.Slice(y * width, width).CopyTo(to);
        }

        return result;
    }

    private static void Repeat(ReadOnlySpan<byte> pixel, Span<byte> to)
    {
        for (int at = 0; at < to.Length; at += pixel.Length) pixel.CopyTo(to[at..]);
    }
}
