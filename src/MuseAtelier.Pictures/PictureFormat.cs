using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Pictures;

/// <summary>The kinds of files that pictures are kept in.</summary>
public enum PictureFormat
{
    /// <summary>PNG: every pixel as it was painted.</summary>
    Png,
}

/// <summary>What there is to know of a <see cref="PictureFormat"/>.</summary>
public static class PictureFormats
{
    private static readonly (string Extension, PictureFormat Format)[] Extensions =
    [
        (".png", PictureFormat.Png),
    ];

    /// <summary>The extensions that are known, in words.</summary>
    public static string Known => string.Join(", ", Extensions.Select(entry => entry.Extension));

    /// <summary>The format that a path's extension names, in upper or lower case.</summary>
    /// <param name="path">Path of a file.</param>
    /// <exception cref="PictureFormatException">The extension names none that is written here.</exception>
    public static PictureFormat Of(string path)
    {
        string extension = Path.GetExtension(path);
        foreach ((string known, PictureFormat format) in Extensions)
            if (known.Equals(extension, StringComparison.OrdinalIgnoreCase)) return format;
        throw new PictureFormatException(path);
    }

    /// <summary>The format of a file by its first bytes; null when it is none that is read here. Leaves the stream at its beginning.</summary>
    internal static PictureFormat? Detect(Stream stream)
    {
        Span<byte> start = stackalloc byte[12];
        int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        start = start[..read];
        if (start.StartsWith(PngFile.Signature)) return PictureFormat.Png;
        return null;
    }
}
