namespace MuseAtelier.Pictures;

/// <summary>A picture of a contact sheet.</summary>
public sealed record ContactSheetCell
{
    /// <summary>Takes a picture.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="pixels">[height, width, 3] interleaved RGB, 8 bits a channel; borrowed until the sheet is composed.</param>
    /// <param name="label">
    /// The text below the picture: letters, digits and signs of ASCII. What does not fit is cut off, and other letters become question
    /// marks.
    /// </param>
    /// <exception cref="ArgumentException">The size is not positive, or the pixels have another length.</exception>
    public ContactSheetCell(int width, int height, ReadOnlyMemory<byte> pixels, string label)
    {
        ArgumentNullException.ThrowIfNull(label);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.Length != (long)width * height * 3)
            throw new ArgumentException($"{width}x{height} px take {(long)width * height * 3} bytes, not {pixels.Length}.", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
        Label = label;
    }

    /// <summary>Width in px.</summary>
    public int Width { get; }

    /// <summary>Height in px.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] interleaved RGB, 8 bits a channel.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>The text below the picture.</summary>
    public string Label { get; }

    /// <summary>The name of the picture's file, which the sheet's metadata state; null for none.</summary>
    public string? Name { get; init; }
}
