using System.Buffers.Binary;

namespace MuseAtelier;

/// <summary>
/// An existing picture as pixels, from which another one is painted; of any size. It never changes, and two images are equal if their
/// digests are. A reference has a size and a digest, but no pixels: a picture's record names its sources in this way.
/// </summary>
public sealed class SourceImage : IEquatable<SourceImage>
{
    /// <summary>The most pixels of an image: 20,000 by 20,000.</summary>
    public const long MostPixels = 400_000_000;

    private const int Channels = 3;

    private string? _sha256;

    /// <summary>Wraps pixels, which are not copied and must not change any more.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="pixels">[height, width, 3] interleaved sRGB, 8 bits a channel.</param>
    /// <param name="alpha">[height, width] opacity, 8 bits, 255 where the picture is opaque; empty means opaque everywhere.</param>
    /// <exception cref="ArgumentException">The size is out of range, or the pixels or the opacity have another length.</exception>
    public SourceImage(int width, int height, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<byte> alpha = default)
        : this(width, height)
    {
        long area = (long)width * height;
        if (pixels.Length != area * Channels)
            throw new ArgumentException($"{width}x{height} px take {area * Channels} bytes, not {pixels.Length}.", nameof(pixels));
        if (!alpha.IsEmpty && alpha.Length != area)
            throw new ArgumentException($"The opacity of {width}x{height} px takes {area} bytes, not {alpha.Length}.", nameof(alpha));
        Pixels = pixels;
        Alpha = alpha;
        HasPixels = true;
    }

    private SourceImage(int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height > MostPixels)
            throw new ArgumentOutOfRangeException(nameof(width), $"{width}x{height}", $"An image has 1 to {MostPixels} px.");
        Width = width;
        Height = height;
    }

    /// <summary>Width in px.</summary>
    public int Width { get; }

    /// <summary>Height in px.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3] interleaved sRGB, 8 bits a channel; empty for a reference.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>[Height, Width] opacity, 8 bits; empty if the image is opaque everywhere, and for a reference.</summary>
    public ReadOnlyMemory<byte> Alpha { get; }

    /// <summary>Whether the image has pixels; false for a reference, which cannot be painted from.</summary>
    public bool HasPixels { get; }

    /// <summary>The name of the file that the image was read from, without its folder; null if unknown.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Sentences for the user about how the image was read, such as that a colour profile was not applied; empty if there are none. They
    /// are no part of its identity.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>
    /// SHA-256 in lower-case hex over width and height (32 bits each, little-endian), the pixels and the opacity: equal for equal pixels,
    /// however a file stores them.
    /// </summary>
    public string Sha256 => _sha256 ??= DigestOf(Width, Height, Pixels.Span, Alpha.Span);

    /// <summary>An image of which only the size and the digest are known.</summary>
    /// <param name="width">Width in px, from 1.</param>
    /// <param name="height">Height in px, from 1.</param>
    /// <param name="sha256">The digest as <see cref="Sha256"/> gives it.</param>
    /// <param name="name">The name of its file; null if unknown.</param>
    /// <exception cref="ArgumentException">The size is out of range, or the digest is none.</exception>
    public static SourceImage Reference(int width, int height, string sha256, string? name = null)
    {
        ImageDigest.Check(sha256);
        return new SourceImage(width, height) { _sha256 = sha256, Name = name };
    }

    /// <inheritdoc/>
    public bool Equals(SourceImage? other) => other is not null && (ReferenceEquals(this, other) || Sha256 == other.Sha256);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SourceImage);

    /// <inheritdoc/>
    public override int GetHashCode() => Sha256.GetHashCode(StringComparison.Ordinal);

    internal static string DigestOf(int width, int height, ReadOnlySpan<byte> pixels, ReadOnlySpan<byte> alpha)
    {
        using var digest = new Format.Sha256();
        Span<byte> size = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(size, width);
        BinaryPrimitives.WriteInt32LittleEndian(size[sizeof(int)..], height);
        digest.Append(size);
        digest.Append(pixels);
        digest.Append(alpha);
        return digest.Finish();
    }
}
