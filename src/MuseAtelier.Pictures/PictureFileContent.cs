using System.Collections.Immutable;

namespace MuseAtelier.Pictures;

/// <summary>The metadata of a picture's file, which may also have come from a stream or from memory.</summary>
public sealed record PictureFileContent
{
    /// <summary>Creates the content of a file without texts.</summary>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="format">The file's format.</param>
    /// <param name="width">Width in px, as the pixels are stored.</param>
    /// <param name="height">Height in px, as the pixels are stored.</param>
    public PictureFileContent(string path, PictureFormat format, int width, int height)
    {
        Path = path;
        Format = format;
        Width = width;
        Height = height;
    }

    /// <summary>Path of the file as it was given; "the stream" or "the data" for a picture from a stream or from memory.</summary>
    public string Path { get; init; }

    /// <summary>The file's format.</summary>
    public PictureFormat Format { get; init; }

    /// <summary>Width in px, as the pixels are stored.</summary>
    public int Width { get; init; }

    /// <summary>Height in px, as the pixels are stored.</summary>
    public int Height { get; init; }

    /// <summary>AUTOMATIC1111's text; null if the file has none.</summary>
    public string? Parameters { get; init; }

    /// <summary>
    /// All texts of the file by keyword: those of PNG's text chunks; <c>XML:com.adobe.xmp</c> for an XMP packet; <c>Comment</c> for JPEG's
    /// comment; for EXIF, the names of its fields, such as <c>UserComment</c>. The texts are untrusted.
    /// </summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The record's JSON, unchecked; null if the file has none.</summary>
    public string? RecordJson { get; init; }

    /// <summary>
    /// EXIF's orientation, 1 to 8, which tells a viewer to rotate or mirror the picture; 1 means as stored. It is not applied.
    /// </summary>
    public int Orientation { get; init; } = 1;

    /// <summary>Whether the file ends too early, so that pixels may be missing.</summary>
    internal bool IsCutOff { get; init; }

    /// <summary>
    /// Notices about faults that do not prevent reading and about properties that are not applied: parts that were ignored, a colour
    /// profile other than sRGB, CMYK, an orientation. One sentence each; empty if there are none.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Reads the record.</summary>
    /// <exception cref="PictureRecordMissingException">The file has none.</exception>
    /// <exception cref="PictureRecordVersionException">It has a version that cannot be read.</exception>
    /// <exception cref="PictureRecordDamagedException">It cannot be read.</exception>
    public PictureRecord ReadRecord() => PictureRecord.Parse(Path, RecordJson ?? throw new PictureRecordMissingException(Path));
}
