using System.Globalization;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>A part of a file, or bytes that replace one.</summary>
/// <param name="Start">The part's offset in the file.</param>
/// <param name="Length">The part's length in bytes.</param>
/// <param name="Bytes">The bytes if they are not in the file; else null.</param>
internal readonly record struct FilePart(long Start, long Length, byte[]? Bytes = null);

/// <summary>A container's size, metadata and location of the pixels, which are not decoded.</summary>
internal sealed class ContainerContent
{
    /// <summary>The most bytes of metadata that are read from one file, far more than a real file has.</summary>
    public const int MetadataLimit = 16 << 20;

    private const int MostNotices = 20;

    /// <summary>The number of bytes of metadata that may still be read.</summary>
    private long _room = MetadataLimit;

    /// <summary>Width in px; 0 until it was read.</summary>
    public int Width { get; set; }

    /// <summary>Height in px; 0 until it was read.</summary>
    public int Height { get; set; }

    /// <summary>Whether pixels may be transparent.</summary>
    public bool HasAlpha { get; set; }

    /// <summary>Bytes of compressed pixels.</summary>
    public long PixelBytes { get; set; }

    /// <summary>The most pixels that one byte of compressed pixels can encode; infinity if there is no bound.</summary>
    public double PixelsPerByte { get; set; } = double.PositiveInfinity;

    /// <summary>The reason why the pixels of an intact file cannot be decoded; null if they can.</summary>
    public string? Unsupported { get; set; }

    /// <summary>Whether the file ends before its format says so. Decoders may fill up the pixels that are missing.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>The parts that, put together, are a file with the same pixels and without metadata.</summary>
    public List<FilePart> Parts { get; } = [];

    /// <summary>The texts by keyword.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>EXIF; empty for none.</summary>
    public ReadOnlyMemory<byte> Exif { get; set; }

    /// <summary>An XMP packet; empty for none.</summary>
    public ReadOnlyMemory<byte> Xmp { get; set; }

    /// <summary>An ICC profile; empty for none.</summary>
    public ReadOnlyMemory<byte> Icc { get; set; }

    /// <summary>Notices about faults and about properties that are not applied.</summary>
    public List<string> Notices { get; } = [];

    /// <summary>Adds a notice, up to a limit for files with very many faults.</summary>
    public void Notice(string notice)
    {
        if (Notices.Count < MostNotices) Notices.Add(notice);
    }

    /// <summary>Counts metadata that is about to be read or decompressed.</summary>
    /// <exception cref="PictureDamagedException">The file has more metadata than the limit.</exception>
    public void Take(string path, long bytes)
    {
        if (bytes > _room) throw new PictureDamagedException(path, $"it holds more than {MetadataLimit >> 20} MiB of text");
        _room -= bytes;
    }

    /// <summary>The metadata for callers.</summary>
    /// <exception cref="PictureDamagedException">The file states no size.</exception>
    public PictureFileContent Describe(string path, PictureFormat format)
    {
        if (Width <= 0 || Height <= 0) throw new PictureDamagedException(path, "it states no size");
        ExifFacts? exif = Exif.IsEmpty ? null : ExifReader.Read(Exif.Span);
        if (exif is null && !Exif.IsEmpty) Notice("its EXIF block cannot be read");
        if (exif?.Orientation is > 1 and var turn)
            Notice(string.Create(
                CultureInfo.InvariantCulture,
                $"EXIF states that viewers should rotate or mirror it (orientation {turn}): pixels are read as they are stored"));
        if (IccProfile.Notice(Icc.Span) is { } profile) Notice(profile);
        if (exif?.Comment is { } comment) Texts.TryAdd("UserComment", comment);
        if (exif is not null) foreach ((string name, string text) in exif.Texts) Texts.TryAdd(name, text);
        if (!Xmp.IsEmpty) Texts.TryAdd(XmpPacket.PngKeyword, Encoding.UTF8.GetString(Xmp.Span));
        return new PictureFileContent(path, format, Width, Height)
        {
            Texts = Texts,
            Parameters = (format == PictureFormat.Png ? Texts.GetValueOrDefault(ParametersText.Keyword) : null) ?? exif?.Comment,
            Orientation = exif?.Orientation ?? 1,
            IsCutOff = IsCutOff,
            RecordJson = Record(),
            Notices = Notices,
        };
    }

    // A converter may have copied the packet of another format into a PNG file.
    private string? Record() => Texts.GetValueOrDefault(PictureRecord.Keyword)
        ?? (Texts.TryGetValue(XmpPacket.PngKeyword, out string? packet) ? XmpPacket.ReadRecord(Encoding.UTF8.GetBytes(packet)) : null);
}
