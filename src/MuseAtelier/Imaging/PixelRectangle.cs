namespace MuseAtelier.Imaging;

/// <summary>A rectangle of pixels within a picture.</summary>
/// <param name="X">The first column.</param>
/// <param name="Y">The first row.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Height">The number of rows.</param>
internal readonly record struct PixelRectangle(int X, int Y, int Width, int Height)
{
    /// <summary>Copies the rectangle out of a picture.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="width">The picture's width in px.</param>
    /// <returns>[Height, Width, channels].</returns>
    public byte[] Crop(ReadOnlySpan<byte> pixels, int channels, int width)
    {
        byte[] result = new byte[Width * Height * channels];
        for (int y = 0; y < Height; y++)
            pixels.Slice(((Y + y) * width + X) * channels, Width * channels).CopyTo(result.AsSpan(y * Width * channels));
        return result;
    }
}
