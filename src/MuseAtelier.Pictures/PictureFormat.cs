using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Pictures;

/// <summary>The formats of picture files.</summary>
public enum PictureFormat
{
    /// <summary>PNG, lossless.</summary>
    Png,

    /// <summary>JPEG, lossy.</summary>
    Jpeg,

    /// <summary>WebP, lossy.</summary>
    WebP,

    /// <summary>AVIF, lossy. It needs the package MuseAtelier.Pictures.Avif or another codec (<see cref="PictureCodecs"/>).</summary>
    Avif,
}

/// <summary>The properties of each <see cref="PictureFormat"/>.</summary>
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
    /// The extensions of the formats that this process can read and write, separated by commas. Formats without a codec are not listed.
    /// </summary>
    public static string Known =>
        string.Join(", ", Extensions.Where(entry => PictureCodecs.IsKnown(entry.Format)).Select(entry => entry.Extension));

    /// <summary>The format of a path's extension, in upper or lower case. The format may lack a codec.</summary>
    /// <param name="path">Path of a file.</param>
    /// <exception cref="PictureFormatException">The extension is not that of a known format.</exception>
    public static PictureFormat Of(string path)
    {
        string extension = Path.GetExtension(path);
        foreach ((string known, PictureFormat format) in Extensions)
            if (known.Equals(extension, StringComparison.OrdinalIgnoreCase)) return format;
        throw new PictureFormatException(path);
    }

    /// <summary>
    /// The default quality of a format, 1 to 100; null for a lossless format.
    /// </summary>
    /// <param name="format">The format.</param>
    public static int? DefaultQuality(PictureFormat format) => format switch
    {
        PictureFormat.Png => null,
        PictureFormat.Avif => 85,
        _ => 95,
    };

    /// <summary>
    /// The format of a file, recognised by its first bytes; null if it is unknown. Leaves the stream at its beginning.
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
        // The first box names the file's brand. Some encoders write the general brand mif1.
        bool isAvif = bytes[4..8].SequenceEqual("ftyp"u8) && (bytes[8..].SequenceEqual("avif"u8) || bytes[8..].SequenceEqual("mif1"u8));
        return isAvif ? PictureFormat.Avif : null;
    }
}
