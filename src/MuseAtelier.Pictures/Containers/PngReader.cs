using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>
/// Reads a PNG file's size and metadata, and skips its pixels. Files are untrusted: every length is checked against the file and the limit.
/// A damaged chunk that the pixels do not need is ignored with a notice.
/// </summary>
internal sealed class PngReader
{
    // A chunk is length, type, data, CRC.
    private const int HeadBytes = 8;
    private const int CrcBytes = 4;
    private const int HeaderBytes = 13;
    private const int LongestKeyword = 79;

    // libpng writes chunks of 8 KiB, so a megabyte of pixels has 128 chunks.
    private const int MostChunks = 100_000;

    // The best ratio of deflate: 258 bytes in two bits.
    private const double BestDeflation = 1032;

    private readonly string _path;
    private readonly Stream _stream;
    private readonly ContainerContent _content = new();

    private PngReader(string path, Stream stream)
    {
        _path = path;
        _stream = stream;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file's path, for messages.</param>
    /// <param name="stream">The file, which begins like PNG.</param>
    /// <exception cref="PictureDamagedException">A part that the pixels need is damaged.</exception>
    public static ContainerContent Read(string path, Stream stream) => new PngReader(path, stream).Read();

    private ContainerContent Read()
    {
        Keep(0, PngFile.Signature.Length);
        _stream.Position = PngFile.Signature.Length;
        Span<byte> head = stackalloc byte[HeadBytes];
        bool isEnded = false;
        for (int chunks = 0; !isEnded && _stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes; chunks++)
        {
            if (chunks == MostChunks) throw new PictureDamagedException(_path, $"it has more than {MostChunks} chunks");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(head);
            string type = Encoding.ASCII.GetString(head[4..]);
            if (length > _stream.Length - _stream.Position - CrcBytes)
                throw new PictureDamagedException(_path, $"its chunk {Printable(type)} runs beyond the file's end");
            long start = _stream.Position - HeadBytes;
            long end = _stream.Position + length + CrcBytes;
            ReadChunk(type, start, length, head[4..]);
            _stream.Position = end;
            isEnded = type == "IEND";
        }

        _content.IsCutOff = !isEnded;
        if (!isEnded) _content.Notice("it ends before its last chunk (IEND)");
        return _content;
    }

    private void ReadChunk(string type, long start, uint length, ReadOnlySpan<byte> name)
    {
        switch (type)
        {
            case "IHDR":
                ReadHeader(Data(length, name) ?? throw new PictureDamagedException(_path, "its header has a wrong checksum"));
                Keep(start, HeadBytes + length + CrcBytes);
                break;
            case "IDAT":
                _content.PixelBytes += length;
                Keep(start, HeadBytes + length + CrcBytes);
                break;
            case "PLTE" or "tRNS" or "IEND":
                _content.HasAlpha |= type == "tRNS";
                Keep(start, HeadBytes + length + CrcBytes);
                break;
            case "tEXt" or "zTXt" or "iTXt" or "eXIf" or "iCCP":
                _content.Take(_path, length);
                if (Data(length, name) is { } data) ReadMetadata(type, data);
                else _content.Notice($"a chunk {type} has a wrong checksum and is ignored");
                break;
            // A capital first letter means that the picture cannot be shown as intended without the chunk.
            default:
                if (char.IsAsciiLetterUpper(type[0])) _content.Notice($"its chunk {Printable(type)} is unknown and is ignored");
                break;
        }
    }

    private void ReadHeader(byte[] data)
    {
        if (data.Length != HeaderBytes) throw new PictureDamagedException(_path, "its header has a wrong length");
        if (_content.Width != 0) throw new PictureDamagedException(_path, "it has two headers");
        _content.Width = BinaryPrimitives.ReadInt32BigEndian(data);
        _content.Height = BinaryPrimitives.ReadInt32BigEndian(data.AsSpan(4));
        int depth = data[8];
        int colours = data[9];
        _content.HasAlpha |= colours is 4 or 6;
        int channels = colours switch
        {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        _content.PixelsPerByte = BestDeflation * 8 / Math.Max(1, depth * channels);
        if (_content.Width <= 0 || _content.Height <= 0) throw new PictureDamagedException(_path, "it states no size");
    }

    // The length of a metadata chunk was checked before. That of the header is checked here.
    private byte[]? Data(uint length, ReadOnlySpan<byte> name)
    {
        if (length > ContainerContent.MetadataLimit) throw new PictureDamagedException(_path, "its header has a wrong length");
        byte[] data = new byte[length];
        Span<byte> stated = stackalloc byte[CrcBytes];
        _stream.ReadExactly(data);
        _stream.ReadExactly(stated);
        var crc = new Crc32();
        crc.Append(name);
        crc.Append(data);
        return crc.GetCurrentHashAsUInt32() == BinaryPrimitives.ReadUInt32BigEndian(stated) ? data : null;
    }

    private void ReadMetadata(string type, byte[] data)
    {
        if (type == "eXIf")
        {
            if (_content.Exif.IsEmpty) _content.Exif = data;
            return;
        }

        int end = Array.IndexOf(data, (byte)0);
        if (end < 1 || end > LongestKeyword)
        {
            _content.Notice($"a chunk {type} has no keyword and is ignored");
            return;
        }

        string keyword = Encoding.Latin1.GetString(data, 0, end);
        ReadOnlySpan<byte> rest = data.AsSpan(end + 1);
        if (type == "iCCP")
        {
            // The first byte names the compression method; there is only one.
            if (_content.Icc.IsEmpty && Inflate(type, rest.IsEmpty ? rest : rest[1..]) is { } profile) _content.Icc = profile;
        }
        else if (ReadText(type, rest) is { } text)
        {
            _content.Texts.TryAdd(keyword, text);
        }
    }

    private string? ReadText(string type, ReadOnlySpan<byte> rest)
    {
        if (type == "tEXt") return TextBytes.Utf8OrLatin1(rest);
        if (type == "zTXt") return Inflate(type, rest.IsEmpty ? rest : rest[1..]) is { } unpacked ? TextBytes.Utf8OrLatin1(unpacked) : null;

        // iTXt: compression flag, method, language, translated keyword, text.
        bool isWhole = rest.Length >= 2;
        bool isCompressed = isWhole && rest[0] == 1;
        if (isWhole) rest = rest[2..];
        for (int skipped = 0; isWhole && skipped < 2; skipped++)
        {
            int zero = rest.IndexOf((byte)0);
            isWhole = zero >= 0;
            if (isWhole) rest = rest[(zero + 1)..];
        }

        if (!isWhole)
        {
            _content.Notice("a chunk iTXt is cut off and is ignored");
            return null;
        }

        if (!isCompressed) return Encoding.UTF8.GetString(rest);
        return Inflate(type, rest) is { } text ? Encoding.UTF8.GetString(text) : null;
    }

    private byte[]? Inflate(string type, ReadOnlySpan<byte> data)
    {
        try
        {
            using var inflater = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
            using var text = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            for (int read; (read = inflater.Read(buffer)) > 0;)
            {
                _content.Take(_path, read);
                text.Write(buffer, 0, read);
            }

            return text.ToArray();
        }
        catch (InvalidDataException)
        {
            _content.Notice($"a chunk {type} cannot be decompressed and is ignored");
            return null;
        }
    }

    // Adjacent parts are merged.
    private void Keep(long start, long length)
    {
        List<FilePart> parts = _content.Parts;
        FilePart last = parts.Count > 0 ? parts[^1] : default;
        if (last.Length > 0 && last.Start + last.Length == start) parts[^1] = last with { Length = last.Length + length };
        else parts.Add(new FilePart(start, length));
    }

    private static string Printable(string type) => new([.. type.Select(letter => char.IsAsciiLetter(letter) ? letter : '?')]);
}
