namespace MuseAtelier.Imaging;

/// <summary>Brings pixels to another size (AUTOMATIC1111, modules/images.py, resize_image).</summary>
internal static class SourceFitting
{
    /// <summary>Brings pixels to another size.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="size">The size of the pixels.</param>
    /// <param name="newSize">The new size.</param>
    /// <param name="fit">How the pixels are brought to it.</param>
    /// <param name="filter">The filter.</param>
    /// <returns>[newHeight, newWidth, channels].</returns>
    public static byte[] Fit(
        ReadOnlySpan<byte> pixels,
        int channels,
        (int Width, int Height) size,
        (int Width, int Height) newSize,
        SourceFit fit,
        ResampleFilter filter)
    {
        if (size == newSize) return pixels.ToArray();
        return fit switch
        {
            SourceFit.Crop => Cover(pixels, channels, size, newSize, filter),
            SourceFit.Pad => Contain(pixels, channels, size, newSize, filter),
            _ => Scale(pixels, channels, size, newSize, filter),
        };
    }

    private static byte[] Scale(
        ReadOnlySpan<byte> pixels, int channels, (int Width, int Height) size, (int Width, int Height) newSize, ResampleFilter filter)
    {
        byte[] result = new byte[newSize.Width * newSize.Height * channels];
        Resampler.Resize(pixels, channels, size.Width, size.Height, result, newSize.Width, newSize.Height, filter);
        return result;
    }

    // Only the window that is not cut off is computed: the scaled picture may be far too large to be held.
    private static byte[] Cover(
        ReadOnlySpan<byte> pixels, int channels, (int Width, int Height) size, (int Width, int Height) newSize, ResampleFilter filter)
    {
        bool isHigher = IsHigher(size, newSize);
        long width = isHigher ? newSize.Width : (long)size.Width * newSize.Height / size.Height;
        long height = isHigher ? (long)size.Height * newSize.Width / size.Width : newSize.Height;
        var columns = ResampleAxis.Of(size.Width, width, width / 2 - newSize.Width / 2, newSize.Width, filter);
        var rows = ResampleAxis.Of(size.Height, height, height / 2 - newSize.Height / 2, newSize.Height, filter);
        byte[] result = new byte[newSize.Width * newSize.Height * channels];
        Resampler.Resize(pixels, channels, result, columns, rows);
        return result;
    }

    private static byte[] Contain(
        ReadOnlySpan<byte> pixels, int channels, (int Width, int Height) size, (int Width, int Height) newSize, ResampleFilter filter)
    {
        bool isHigher = IsHigher(size, newSize);
        int width = isHigher ? (int)Math.Max(1, (long)size.Width * newSize.Height / size.Height) : newSize.Width;
        int height = isHigher ? newSize.Height : (int)Math.Max(1, (long)size.Height * newSize.Width / size.Width);
        byte[] scaled = Scale(pixels, channels, size, (width, height), filter);
        (int left, int top) = (newSize.Width / 2 - width / 2, newSize.Height / 2 - height / 2);
        var margins = new PictureMargins(left, top, newSize.Width - width - left, newSize.Height - height - top);
        return SourceExtension.Extend(scaled, channels, width, height, margins);
    }

    private static bool IsHigher((int Width, int Height) size, (int Width, int Height) newSize) =>
        (long)size.Width * newSize.Height <= (long)newSize.Width * size.Height;
}
