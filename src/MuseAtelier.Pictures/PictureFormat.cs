using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Pictures;

/// <summary>The kinds of files that pictures are kept in.</summary>
public enum PictureFormat
{
    /// <summary>PNG: every pixel as it was painted.</summary>
    Png,

    /// <summary>JPEG.</summary>
    Jpeg,

    /// <summary>WebP, lossy.</summary>
    WebP,

    /// <summary>AVIF, lossy. It needs the package MuseAtelier.Pictures.Avif, or another codec: see <see cref="PictureCodecs"/>.</summary>
    Avif,
}

/// <summary>What there is to know of a <see cref="PictureFormat"/>.</summary>
public static class PictureFormats
{
    private static readonly (string Extension, PictureFormat Format)[] Extensions =
    [
        (".png", PictureFormat.Png),
        (".jpg", PictureFormat.Jpeg),
        (".jpeg", PictureFormat.Jpeg),
        (".webp", PictureFormat.WebP),
        (".avif", PictureFormat.Avif),
    ];

    /// <summary>
    /// The extensions of the formats that this process reads and writes, in words; those of a format without a codec are left out.
    /// </summary>
    public static string Known =>
        string.Join(", ", Extensions.Where(entry => PictureCodecs.IsKnown(entry.Format)).Select(entry => entry.Extension));

    /// <summary>The format that a path's extension names, in upper or lower case, whether or not there is a codec for it.</summary>
    /// <param name="path">Path of a file.</param>
    /// <exception cref="PictureFormatException">The extension names none that is written here.</exception>
    public static PictureFormat Of(string path)
    {
        string extension = Path.GetExtension(path);
        foreach ((string known, PictureFormat format) in Extensions)
            if (known.Equals(extension, StringComparison.OrdinalIgnoreCase)) return format;
        throw new PictureFormatException(path);
    }

    /// <summary>
    /// The quality at which a format is written unless another is asked for, 1 to 100; null for one that keeps every pixel.
    /// </summary>
    /// <param name="format">The format.</param>
    public static int? DefaultQuality(PictureFormat format) => format switch
    {
        PictureFormat.Png => null,
        PictureFormat.Avif => 85,
        _ => 95,
    };

    /// <summary>
    /// The format of a file by its first bytes; null when it is none that is read here. Leaves the stream at its beginning.
    /// </summary>
    internal static PictureFormat? Detect(Stream stream)
    {
        Span<byte> start = stackalloc byte[12];
        int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        ReadOnlySpan<byte> bytes = start[..read];
        if (bytes.StartsWith(PngFile.Signature)) return PictureFormat.Png;
        if (bytes is [0xFF, 0xD8, 0xFF, ..]) return PictureFormat.Jpeg;
        if (bytes.Length < start.Length) return null;
        if (bytes.StartsWith("RIFF"u8) && bytes[8..].SequenceEqual("WEBP"u8)) return PictureFormat.WebP;
        // A box of brands; mif1 is what some writers put first.
        bool isAvif = bytes[4..8].SequenceEqual("ftyp"u8) && (bytes[8..].SequenceEqual("avif"u8) || bytes[8..].SequenceEqual("mif1"u8));
        return isAvif ? PictureFormat.Avif : null;
    }
}
