using System.Globalization;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>A piece of a file, or bytes that stand for one.</summary>
/// <param name="Start">Where it begins in the file.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Bytes">The bytes themselves where they are not in the file; else null.</param>
internal readonly record struct FilePart(long Start, long Length, byte[]? Bytes = null);

/// <summary>What a container's reader found: size, metadata, and where the pixels are. Nothing in it was decoded.</summary>
internal sealed class ContainerContent
{
    /// <summary>Bytes of metadata that are read from one file: far more than any honest one holds.</summary>
    public const int MetadataLimit = 16 << 20;

    private const int MostNotices = 20;

    /// <summary>Bytes of metadata that may still be read.</summary>
    private long _room = MetadataLimit;

    /// <summary>Width in px; 0 until the file states it.</summary>
    public int Width { get; set; }

    /// <summary>Height in px; 0 until the file states it.</summary>
    public int Height { get; set; }

    /// <summary>Whether pixels may be transparent.</summary>
    public bool HasAlpha { get; set; }

    /// <summary>Bytes of compressed pixels.</summary>
    public long PixelBytes { get; set; }

    /// <summary>The most pixels that one byte of compressed pixels can stand for; infinity where there is no such bound.</summary>
    public double PixelsPerByte { get; set; } = double.PositiveInfinity;

    /// <summary>Why the pixels cannot be decoded here, although the file is sound; else null.</summary>
    public string? Unsupported { get; set; }

    /// <summary>The pieces that, one behind the other, are a file with the same pixels and without metadata.</summary>
    public List<FilePart> Parts { get; } = [];

    /// <summary>Texts by their keywords.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>EXIF; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Exif { get; set; }

    /// <summary>An XMP packet; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Xmp { get; set; }

    /// <summary>An ICC profile; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Icc { get; set; }

    /// <summary>What is not in order, or not taken over, in words.</summary>
    public List<string> Notices { get; } = [];

    /// <summary>Adds a notice; a file with very many faults does not get as many.</summary>
    public void Notice(string notice)
    {
        if (Notices.Count < MostNotices) Notices.Add(notice);
    }

    /// <summary>Takes room for metadata that is about to be read or unpacked.</summary>
    /// <exception cref="PictureDamagedException">The file holds more than is read.</exception>
    public void Take(string path, long bytes)
    {
        if (bytes > _room) throw new PictureDamagedException(path, $"it holds more than {MetadataLimit >> 20} MiB of text");
        _room -= bytes;
    }

    /// <summary>The content as callers get it.</summary>
    /// <exception cref="PictureDamagedException">The file states no size.</exception>
    public PictureFileContent Describe(string path, PictureFormat format)
    {
        if (Width <= 0 || Height <= 0) throw new PictureDamagedException(path, "it states no size");
        ExifFacts? exif = Exif.IsEmpty ? null : ExifReader.Read(Exif.Span);
        if (exif is null && !Exif.IsEmpty) Notice("its EXIF block cannot be read");
        if (exif?.Orientation is > 1 and var turn)
            Notice(string.Create(
                CultureInfo.InvariantCulture,
                $"EXIF says that it is to be turned or mirrored (orientation {turn}): pixels are read as they are stored"));
        if (IccProfile.Notice(Icc.Span) is { } profile) Notice(profile);
        if (exif?.Comment is { } comment) Texts.TryAdd("UserComment", comment);
        if (exif is not null) foreach ((string name, string text) in exif.Texts) Texts.TryAdd(name, text);
        if (!Xmp.IsEmpty) Texts.TryAdd(XmpPacket.PngKeyword, Encoding.UTF8.GetString(Xmp.Span));
        return new PictureFileContent(path, format, Width, Height)
        {
            Texts = Texts,
            Parameters = (format == PictureFormat.Png ? Texts.GetValueOrDefault(ParametersText.Keyword) : null) ?? exif?.Comment,
            Orientation = exif?.Orientation ?? 1,
            RecordJson = Record(),
            Notices = Notices,
        };
    }

    // A converter may have brought the packet of another format into a PNG file.
    private string? Record() => Texts.GetValueOrDefault(PictureRecord.Keyword)
        ?? (Texts.TryGetValue(XmpPacket.PngKeyword, out string? packet) ? XmpPacket.ReadRecord(Encoding.UTF8.GetBytes(packet)) : null);
}
