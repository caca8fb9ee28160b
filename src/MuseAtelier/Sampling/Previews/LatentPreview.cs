namespace MuseAtelier;

/// <summary>
/// A rough picture of the latents by a fixed linear map of their four channels. Each side is an eighth of the picture's. The pictures of
/// a batch lie in one grid, row by row from the top left. A preview never changes: every report has one of its own, which may be kept and
/// read from any thread.
/// </summary>
public sealed record LatentPreview
{
    /// <summary>Creates a preview.</summary>
    /// <param name="width">Width of the whole grid in px.</param>
    /// <param name="height">Height of the whole grid in px.</param>
    /// <param name="pixels">[height, width, 3] interleaved RGB, 8 bits a channel; must not change any more.</param>
    /// <param name="columns">Pictures in a row of the grid.</param>
    /// <exception cref="ArgumentException">The pixels have another size.</exception>
    public LatentPreview(int width, int height, ReadOnlyMemory<byte> pixels, int columns = 1)
    {
        if (pixels.Length != (long)width * height * 3)
            throw new ArgumentException($"{width}x{height} px take {(long)width * height * 3} bytes, not {pixels.Length}", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
        Columns = columns;
    }

    /// <summary>Width of the whole grid in px.</summary>
    public int Width { get; }

    /// <summary>Height of the whole grid in px.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] interleaved RGB, 8 bits a channel.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>Pictures in a row of the grid.</summary>
    public int Columns { get; }
}
