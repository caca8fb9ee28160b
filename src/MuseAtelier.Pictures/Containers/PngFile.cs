using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>PNG files as rows of chunks.</summary>
internal static class PngFile
{
    /// <summary>Bytes of metadata that are read from one file: far more than any honest one holds.</summary>
    private const int MetadataLimit = 16 << 20;

    // The signature, then IHDR, whose data always has 13 bytes, between length, type and CRC.
    private const int AfterHeader = 8 + 4 + 4 + 13 + 4;

    /// <summary>What every PNG file begins with.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Puts chunks right behind the header, where every reader finds them before the pixels.</summary>
    public static byte[] Embed(byte[] png, IReadOnlyList<PngChunk> chunks)
    {
        using var stream = new MemoryStream(png.Length + chunks.Sum(chunk => chunk.Data.Length + 12));
        stream.Write(png, 0, AfterHeader);
        foreach (PngChunk chunk in chunks) chunk.WriteTo(stream);
        stream.Write(png, AfterHeader, png.Length - AfterHeader);
        return stream.ToArray();
    }

    /// <summary>Reads size and metadata; steps over the pixels. Trusts no length before it was held against the file and the limit.</summary>
    public static PictureFileContent Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        stream.Position = Signature.Length;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        (int Width, int Height)? size = null;
        string? comment = null;
        int budget = MetadataLimit;
        Span<byte> head = stackalloc byte[8];
        while (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(head);
            string type = Encoding.ASCII.GetString(head[4..]);
            if (length > stream.Length - stream.Position - 4) throw new PictureDamagedException(path, $"its chunk {Printable(type)} runs beyond the file's end");
            if (type == "IEND") break;
            if (type is not ("IHDR" or "tEXt" or "zTXt" or "iTXt" or "eXIf"))
            {
                stream.Seek(length + 4L, SeekOrigin.Current);
                continue;
            }

            if (length > budget) throw new PictureDamagedException(path, $"it holds more than {MetadataLimit >> 20} MiB of text");
            budget -= (int)length;
            byte[] data = new byte[length];
            stream.ReadExactly(data);
            stream.Seek(4, SeekOrigin.Current);
            if (type == "IHDR") size = data.Length == 13 ? (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data.AsSpan(4))) : throw new PictureDamagedException(path, "its header has a wrong length");
            else if (type == "eXIf") comment = ExifBlock.ReadComment(data);
            else if (ReadText(path, type, data, ref budget) is var (keyword, text)) texts.TryAdd(keyword, text);
        }

        if (size is not (> 0, > 0)) throw new PictureDamagedException(path, "it states no size");
        return new PictureFileContent(path, PictureFormat.Png, size.Value.Width, size.Value.Height)
        {
            Texts = texts,
            Parameters = texts.GetValueOrDefault(ParametersText.Keyword) ?? comment,
            // A converter may have brought the packet of another format.
            RecordJson = texts.GetValueOrDefault(PictureRecord.Keyword) ?? (texts.TryGetValue(XmpPacket.PngKeyword, out string? packet) ? XmpPacket.ReadRecord(Encoding.UTF8.GetBytes(packet)) : null),
        };
    }

    private static (string Keyword, string Text) ReadText(string path, string type, byte[] data, ref int budget)
    {
        int end = Array.IndexOf(data, (byte)0);
        if (end is < 1 or > 79) throw new PictureDamagedException(path, $"a {type} chunk has no keyword");
        string keyword = Encoding.Latin1.GetString(data, 0, end);
        ReadOnlySpan<byte> rest = data.AsSpan(end + 1);
        if (type == "tEXt") return (keyword, Encoding.Latin1.GetString(rest));
        if (type == "zTXt") return (keyword, Encoding.Latin1.GetString(Inflate(path, rest.IsEmpty ? rest : rest[1..], ref budget)));

        // iTXt: compressed or not, method, language, translated keyword.
        if (rest.Length < 2) throw new PictureDamagedException(path, "an iTXt chunk is cut off");
        bool isCompressed = rest[0] == 1;
        rest = rest[2..];
        for (int skipped = 0; skipped < 2; skipped++)
        {
            int zero = rest.IndexOf((byte)0);
            if (zero < 0) throw new PictureDamagedException(path, "an iTXt chunk is cut off");
            rest = rest[(zero + 1)..];
        }

        return (keyword, Encoding.UTF8.GetString(isCompressed ? Inflate(path, rest, ref budget) : rest));
    }

    private static byte[] Inflate(string path, ReadOnlySpan<byte> data, ref int budget)
    {
        try
        {
            using var inflater = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
            using var text = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            for (int read; (read = inflater.Read(buffer)) > 0; budget -= read)
            {
                if (read > budget) throw new PictureDamagedException(path, $"it holds more than {MetadataLimit >> 20} MiB of text");
                text.Write(buffer, 0, read);
            }

            return text.ToArray();
        }
        catch (InvalidDataException exception)
        {
            throw new PictureDamagedException(path, "a compressed text cannot be read", exception);
        }
    }

    private static string Printable(string type) => new([.. type.Select(letter => char.IsAsciiLetter(letter) ? letter : '?')]);
}
