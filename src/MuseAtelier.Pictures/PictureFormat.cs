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
    /// <summary>The number of bytes from which <see cref="Detect"/> tells every format.</summary>
    public const int BytesToDetect = 12;

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

    /// <summary>The media type of a format, such as <c>image/png</c>, for HTTP and for data URLs.</summary>
    /// <param name="format">The format.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    public static string MediaType(PictureFormat format) => format switch
    {
        PictureFormat.Png => "image/png",
        PictureFormat.Jpeg => "image/jpeg",
        PictureFormat.WebP => "image/webp",
        PictureFormat.Avif => "image/avif",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>The format that the first bytes of a file tell; null if it is unknown. The rest of the file may be damaged.</summary>
    /// <param name="start">The first <see cref="BytesToDetect"/> bytes, or more; fewer if the file is shorter.</param>
    public static PictureFormat? Detect(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(PngFile.Signature)) return PictureFormat.Png;
        if (start is [0xFF, 0xD8, 0xFF, ..]) return PictureFormat.Jpeg;
        if (start.Length < BytesToDetect) return null;
        ReadOnlySpan<byte> brand = start[8..BytesToDetect];
        if (start.StartsWith("RIFF"u8) && brand.SequenceEqual("WEBP"u8)) return PictureFormat.WebP;
        // The first box names the file's brand. Some encoders write the general brand mif1.
        bool isAvif = start[4..8].SequenceEqual("ftyp"u8) && (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("mif1"u8));
        return isAvif ? PictureFormat.Avif : null;
    }
}
