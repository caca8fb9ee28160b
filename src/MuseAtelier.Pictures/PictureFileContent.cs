using System.Collections.Immutable;

namespace MuseAtelier.Pictures;

/// <summary>What a picture's file says of itself.</summary>
/// <param name="Path">Path of the file.</param>
/// <param name="Format">The file's format.</param>
/// <param name="Width">Width in px, as the pixels are stored.</param>
/// <param name="Height">Height in px, as the pixels are stored.</param>
public sealed record PictureFileContent(string Path, PictureFormat Format, int Width, int Height)
{
    /// <summary>AUTOMATIC1111's text of how the picture was made; null when the file has none.</summary>
    public string? Parameters { get; init; }

    /// <summary>
    /// All texts of the file by the keywords under which it carries them: those of PNG's text chunks; <c>XML:com.adobe.xmp</c> for an XMP
    /// packet; <c>Comment</c> for JPEG's; for EXIF, the names of its fields, such as <c>UserComment</c>. Other programs wrote them: nothing
    /// to trust.
    /// </summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The record as the file carries it, not yet read; null when the file has none.</summary>
    public string? RecordJson { get; init; }

    /// <summary>
    /// How EXIF says that a viewer should turn or mirror the picture, 1 to 8; 1 means as it is stored. Nothing here turns it.
    /// </summary>
    public int Orientation { get; init; } = 1;

    /// <summary>
    /// What is not in order or not applied, in words, one sentence each: parts that were left out, a colour profile other than sRGB, CMYK,
    /// an orientation. The picture is read all the same.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Reads the record.</summary>
    /// <exception cref="PictureRecordMissingException">The file has none.</exception>
    /// <exception cref="PictureRecordVersionException">It is of another version.</exception>
    /// <exception cref="PictureRecordDamagedException">It cannot be read.</exception>
    public PictureRecord ReadRecord() => PictureRecord.Parse(Path, RecordJson ?? throw new PictureRecordMissingException(Path));
}
