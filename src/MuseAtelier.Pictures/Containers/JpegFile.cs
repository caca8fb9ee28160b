using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Inserts segments into JPEG files, and reads size and metadata without decoding.</summary>
internal static class JpegFile
{
    // A segment has room for 65,533 bytes, including its name.
    private const int SegmentRoom = 65_533;

    private const byte Start = 0xD8;
    private const byte End = 0xD9;
    private const byte Scan = 0xDA;
    private const byte Comment = 0xFE;
    private const byte FirstApp = 0xE0;
    private const byte LastApp = 0xEF;
    private const byte Jfif = 0xE0;
    private const byte App1 = 0xE1;
    private const byte Icc = 0xE2;
    private const byte Adobe = 0xEE;

    private const int MostSegments = 10_000;
    private const int CmykChannels = 4;

    // A block of 8x8 samples takes at least two bits: one for the mean, one for the end. Progressive files pack the ends together, so one
    // bit is assumed.
    private const double BestPixelsPerByte = 8 * 64;

    /// <summary>The most bytes of EXIF in a file.</summary>
    public static int ExifRoom => SegmentRoom - ExifName.Length;

    /// <summary>The most bytes of XMP in a file.</summary>
    public static int XmpRoom => SegmentRoom - XmpName.Length;

    private static ReadOnlySpan<byte> ExifName => "Exif\0\0"u8;

    private static ReadOnlySpan<byte> XmpName => "http://ns.adobe.com/xap/1.0/\0"u8;

    private static ReadOnlySpan<byte> IccName => "ICC_PROFILE\0"u8;

    /// <summary>Writes a file with metadata where readers look for it: after the JFIF segment, EXIF first.</summary>
    /// <param name="jpeg">The file's bytes, without metadata.</param>
    /// <param name="exif">EXIF of at most <see cref="ExifRoom"/> bytes; empty for none.</param>
    /// <param name="xmp">XMP of at most <see cref="XmpRoom"/> bytes; empty for none.</param>
    /// <param name="file">Receives the file.</param>
    public static void Embed(ReadOnlySpan<byte> jpeg, byte[] exif, byte[] xmp, IBufferWriter<byte> file)
    {
        bool hasJfif = jpeg[3] == Jfif;
        int at = hasJfif ? 4 + BinaryPrimitives.ReadUInt16BigEndian(jpeg[4..]) : 2;
        file.Write(jpeg[..at]);
        if (exif.Length > 0) WriteSegment(file, ExifName, exif);
        if (xmp.Length > 0) WriteSegment(file, XmpName, xmp);
        file.Write(jpeg[at..]);
    }

    /// <summary>Reads size and metadata.</summary>
    /// <param name="path">The file's path, for messages.</param>
    /// <param name="stream">The file, which begins like JPEG.</param>
    /// <exception cref="PictureDamagedException">The file is damaged.</exception>
    public static ContainerContent Read(string path, Stream stream)
    {
        var content = new ContainerContent { PixelsPerByte = BestPixelsPerByte };
        content.Parts.Add(new FilePart(0, 2));
        var profile = new SortedDictionary<int, byte[]>();
        stream.Position = 2;
        for (int segments = 0; ; segments++)
        {
            if (segments == MostSegments)
                throw new PictureDamagedException(path, $"it has more than {MostSegments} segments before its pixels");
            int marker = NextMarker(path, stream);
            if (marker is End) break;
            if (marker is Scan)
            {
                content.PixelBytes = stream.Length - stream.Position;
                content.Parts.Add(new FilePart(stream.Position - 2, stream.Length - stream.Position + 2));
                break;
            }

            ReadSegment(path, stream, marker, content, profile);
        }

        if (content.Width == 0 || content.Height == 0) throw new PictureDamagedException(path, "it states no size");
        if (profile.Count > 0) content.Icc = profile.Values.SelectMany(part => part).ToArray();
        return content;
    }

    /// <summary>Whether a file ends before its pixels do: no marker of the end follows where the pixels begin.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="content">What <see cref="Read"/> gave of it.</param>
    public static bool IsCutOff(Stream stream, ContainerContent content)
    {
        byte[] buffer = new byte[1 << 16];
        stream.Position = stream.Length - content.PixelBytes;
        bool isMarker = false;
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, read);
            if ((isMarker && bytes[0] == End) || bytes.IndexOf((ReadOnlySpan<byte>)[0xFF, End]) >= 0) return false;
            isMarker = bytes[^1] == 0xFF;
        }

        return true;
    }

    // A marker's byte may follow any number of FF bytes.
    private static int NextMarker(string path, Stream stream)
    {
        int first = stream.ReadByte();
        int marker = stream.ReadByte();
        for (int padding = 0; marker == 0xFF && padding < SegmentRoom; padding++) marker = stream.ReadByte();
        if (marker < 0) throw new PictureDamagedException(path, "it ends before its pixels");
        return first == 0xFF && marker is not (0 or 0xFF) ? marker
            : throw new PictureDamagedException(path, "it has bytes where a segment should begin");
    }

    private static void ReadSegment(string path, Stream stream, int marker, ContainerContent content, SortedDictionary<int, byte[]> profile)
    {
        long start = stream.Position - 2;
        // Markers without content.
        if (marker is 0x01 or (>= 0xD0 and <= Start)) return;
        int length = (stream.ReadByte() << 8 | stream.ReadByte()) - 2;
        if (length < 0 || length > stream.Length - stream.Position)
            throw new PictureDamagedException(path, "a segment runs beyond the file's end");
        long end = stream.Position + length;
        bool isFrame = marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
        bool isKept = marker is < FirstApp or > LastApp and not Comment or Jfif or Adobe;
        if (isKept) content.Parts.Add(new FilePart(start, end - start));
        if (isFrame || marker is App1 or Icc or Comment)
        {
            content.Take(path, length);
            byte[] data = new byte[length];
            stream.ReadExactly(data);
            if (isFrame) ReadFrame(path, data, content);
            else ReadMetadata(marker, data, content, profile);
        }

        stream.Position = end;
    }

    private static void ReadFrame(string path, byte[] data, ContainerContent content)
    {
        if (data.Length < 6) throw new PictureDamagedException(path, "its frame is cut off");
        if (content.Width != 0) throw new PictureDamagedException(path, "it has two frames");
        content.Height = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(1));
        content.Width = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(3));
        if (data[5] == CmykChannels)
            content.Notice("its colours are CMYK: they are converted without a profile, and may look different from print");
        if (data[0] != 8) content.Unsupported = string.Create(CultureInfo.InvariantCulture, $"it has {data[0]} bits a sample");
    }

    private static void ReadMetadata(int marker, byte[] data, ContainerContent content, SortedDictionary<int, byte[]> profile)
    {
        ReadOnlySpan<byte> bytes = data;
        if (marker == Comment)
        {
            content.Texts.TryAdd("Comment", TextBytes.Plain(bytes, isBig: true).TrimEnd('\0', ' '));
        }
        else if (bytes.StartsWith(ExifName))
        {
            if (content.Exif.IsEmpty) content.Exif = data;
        }
        else if (bytes.StartsWith(XmpName))
        {
            if (content.Xmp.IsEmpty) content.Xmp = data.AsMemory(XmpName.Length);
        }
        else if (marker == Icc && bytes.StartsWith(IccName) && bytes.Length > IccName.Length + 2)
        {
            // A profile may be split: part number, number of parts, data.
            profile.TryAdd(bytes[IccName.Length], data[(IccName.Length + 2)..]);
        }
    }

    private static void WriteSegment(IBufferWriter<byte> file, ReadOnlySpan<byte> name, byte[] data)
    {
        Span<byte> head = [0xFF, App1, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)(2 + name.Length + data.Length));
        file.Write(head);
        file.Write(name);
        file.Write(data);
    }
}
