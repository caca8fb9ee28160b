namespace MuseAtelier;

/// <summary>
/// A mask as pixels: white where a picture is painted anew, black where it is kept. It never changes, and two masks are equal if their
/// digests are. A reference has a size and a digest, but no pixels.
/// </summary>
public sealed class MaskImage : IEquatable<MaskImage>
{
    private string? _sha256;

    /// <summary>Wraps pixels, which are not copied and must not change any more.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="pixels">[height, width], 8 bits: 255 is painted anew, 0 is kept.</param>
    /// <exception cref="ArgumentException">The size is out of range, or the pixels have another length.</exception>
    public MaskImage(int width, int height, ReadOnlyMemory<byte> pixels)
        : this(width, height)
    {
        if (pixels.Length != (long)width * height)
            throw new ArgumentException(
                $"A mask of {width}x{height} px takes {(long)width * height} bytes, not {pixels.Length}.", nameof(pixels));
        Pixels = pixels;
        HasPixels = true;
    }

    private MaskImage(int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height > SourceImage.MostPixels)
            throw new ArgumentOutOfRangeException(nameof(width), $"{width}x{height}", $"A mask has 1 to {SourceImage.MostPixels} px.");
        Width = width;
        Height = height;
    }

    /// <summary>Width in px.</summary>
    public int Width { get; }

    /// <summary>Height in px.</summary>
    public int Height { get; }

    /// <summary>[Height, Width], 8 bits: 255 is painted anew, 0 is kept; empty for a reference.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>Whether the mask has pixels; false for a reference, which cannot be painted from.</summary>
    public bool HasPixels { get; }

    /// <summary>The name of the file that the mask was read from, without its folder; null if unknown.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Sentences for the user about how the mask was read, such as that a colour profile was not applied; empty if there are none. They are
    /// no part of its identity.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>SHA-256 in lower-case hex over width and height (32 bits each, little-endian) and the pixels.</summary>
    public string Sha256 => _sha256 ??= SourceImage.DigestOf(Width, Height, Pixels.Span, default);

    /// <summary>A mask of which only the size and the digest are known.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="sha256">The digest as <see cref="Sha256"/> gives it.</param>
    /// <param name="name">The name of its file; null if unknown.</param>
    /// <exception cref="ArgumentException">The size is out of range, or the digest is none.</exception>
    public static MaskImage Reference(int width, int height, string sha256, string? name = null)
    {
        ImageDigest.Check(sha256);
        return new MaskImage(width, height) { _sha256 = sha256, Name = name };
    }

    /// <summary>The mask of an image's transparent parts: 255 minus the opacity, so that what is transparent is painted anew.</summary>
    /// <param name="image">An image with pixels and opacity.</param>
    /// <exception cref="ArgumentException">The image is opaque everywhere, or a reference.</exception>
    public static MaskImage OfTransparency(SourceImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Alpha.IsEmpty) throw new ArgumentException("The image has no transparent parts.", nameof(image));
        byte[] pixels = image.Alpha.ToArray();
        foreach (ref byte pixel in pixels.AsSpan()) pixel = (byte)(byte.MaxValue - pixel);
        return new MaskImage(image.Width, image.Height, pixels) { Name = image.Name };
    }

    /// <inheritdoc/>
    public bool Equals(MaskImage? other) => other is not null && (ReferenceEquals(this, other) || Sha256 == other.Sha256);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MaskImage);

    /// <inheritdoc/>
    public override int GetHashCode() => Sha256.GetHashCode(StringComparison.Ordinal);
}
