using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Inserts chunks into WebP files, and reads size and metadata without decoding.</summary>
internal static class WebPFile
{
    // A file is "RIFF", its size, "WEBP", then chunks: type, size, data, and a byte of padding after an odd size.
    private const int RiffBytes = 12;
    private const int HeadBytes = 8;
    private const int ExtendedBytes = 10;

    private const byte AnimationFlag = 0x02;
    private const byte XmpFlag = 0x04;
    private const byte ExifFlag = 0x08;
    private const byte AlphaFlag = 0x10;

    private const int MostChunks = 10_000;

    /// <summary>
    /// Writes a file that has pixels only with metadata: an extended header before the pixels, EXIF and XMP after them.
    /// </summary>
    /// <param name="webp">The file's bytes: a RIFF with one chunk of pixels.</param>
    /// <param name="width">Width in px, 1 to 16,384.</param>
    /// <param name="height">Height in px, 1 to 16,384.</param>
    /// <param name="exif">EXIF; empty for none.</param>
    /// <param name="xmp">XMP; empty for none.</param>
    /// <param name="file">Receives the file.</param>
    public static void Embed(ReadOnlySpan<byte> webp, int width, int height, byte[] exif, byte[] xmp, IBufferWriter<byte> file)
    {
        if (exif.Length == 0 && xmp.Length == 0)
        {
            file.Write(webp);
            return;
        }

        byte[] extended = Extended((byte)((exif.Length > 0 ? ExifFlag : 0) | (xmp.Length > 0 ? XmpFlag : 0)), width, height);
        int bytes = webp.Length + ChunkBytes(extended) + ChunkBytes(exif) + ChunkBytes(xmp);
        Span<byte> riff = stackalloc byte[RiffBytes];
        webp[..RiffBytes].CopyTo(riff);
        // The size counts the bytes after it.
        BinaryPrimitives.WriteInt32LittleEndian(riff[4..], bytes - 8);
        file.Write(riff);
        WriteChunk(file, "VP8X"u8, extended);
        file.Write(webp[RiffBytes..]);
        if (exif.Length > 0) WriteChunk(file, "EXIF"u8, exif);
        if (xmp.Length > 0) WriteChunk(file, "XMP "u8, xmp);
    }

    /// <summary>Reads size and metadata.</summary>
    /// <param name="path">The file's path, for messages.</param>
    /// <param name="stream">The file, which begins like WebP.</param>
    /// <exception cref="PictureDamagedException">The file is damaged.</exception>
    public static ContainerContent Read(string path, Stream stream)
    {
        var content = new ContainerContent();
        FilePart? pixels = null, alpha = null;
        (int Width, int Height)? canvas = null;
        stream.Position = RiffBytes;
        Span<byte> head = stackalloc byte[HeadBytes];
        for (int chunks = 0; stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes; chunks++)
        {
            if (chunks == MostChunks) throw new PictureDamagedException(path, $"it has more than {MostChunks} chunks");
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (length > stream.Length - stream.Position) throw new PictureDamagedException(path, "a chunk runs beyond the file's end");
            long start = stream.Position;
            long end = start + length + length % 2;
            switch (Encoding.ASCII.GetString(head[..4]))
            {
                case "VP8X":
                    canvas ??= ReadExtended(path, stream, length, content);
                    break;
                case "VP8 " or "VP8L" when pixels is null:
                    bool isLossless = head[3] == 'L';
                    (content.Width, content.Height) = ReadFrame(path, stream, length, isLossless, content);
                    content.PixelBytes = length;
                    pixels = new FilePart(start - HeadBytes, HeadBytes + length);
                    break;
                case "ALPH":
                    alpha ??= new FilePart(start - HeadBytes, HeadBytes + length);
                    break;
                case "ANIM" or "ANMF":
                    content.Unsupported = "it is an animation";
                    break;
                case "EXIF" when content.Exif.IsEmpty:
                    content.Exif = ReadBlock(path, stream, length, content);
                    break;
                case "XMP " when content.Xmp.IsEmpty:
                    content.Xmp = ReadBlock(path, stream, length, content);
                    break;
                case "ICCP" when content.Icc.IsEmpty:
                    content.Icc = ReadBlock(path, stream, length, content);
                    break;
            }

            // The padding may be missing at the end of the file.
            stream.Position = Math.Min(end, stream.Length);
        }

        if (pixels is null && content.Unsupported is null) throw new PictureDamagedException(path, "it holds no pixels");
        CheckCanvas(path, content, canvas);
        if (pixels is not null) Compose(content, pixels.Value, alpha);
        return content;
    }

    private static void CheckCanvas(string path, ContainerContent content, (int Width, int Height)? canvas)
    {
        if (canvas is not var (width, height)) return;
        bool isSame = content.Width == 0 || (content.Width, content.Height) == (width, height);
        if (!isSame)
        {
            string found = string.Create(CultureInfo.InvariantCulture,
                $"its canvas has {width}x{height} px, its pixels {content.Width}x{content.Height}");
            throw new PictureDamagedException(path, found);
        }

        (content.Width, content.Height) = (width, height);
    }

    private static (int Width, int Height) ReadExtended(string path, Stream stream, uint length, ContainerContent content)
    {
        if (length < ExtendedBytes) throw new PictureDamagedException(path, "its header is cut off");
        Span<byte> data = stackalloc byte[ExtendedBytes];
        stream.ReadExactly(data);
        if ((data[0] & AnimationFlag) != 0) content.Unsupported = "it is an animation";
        return (1 + (data[4] | data[5] << 8 | data[6] << 16), 1 + (data[7] | data[8] << 8 | data[9] << 16));
    }

    private static (int Width, int Height) ReadFrame(string path, Stream stream, uint length, bool isLossless, ContainerContent content)
    {
        const int bytes = 10;
        const int side = 0x3FFF;
        Span<byte> data = stackalloc byte[bytes];
        int there = (int)Math.Min(bytes, length);
        if (stream.ReadAtLeast(data[..there], there, throwOnEndOfStream: false) < 5)
            throw new PictureDamagedException(path, "its pixels are cut off");
        if (isLossless)
        {
            if (data[0] != 0x2F) throw new PictureDamagedException(path, "its pixels begin with a wrong signature");
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
            content.HasAlpha = (bits >> 28 & 1) != 0;
            return ((int)(bits & side) + 1, (int)(bits >> 14 & side) + 1);
        }

        if (length < bytes || !data[3..6].SequenceEqual((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A]))
            throw new PictureDamagedException(path, "its pixels begin with a wrong signature");
        (int width, int height) = (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & side,
            BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & side);
        return width > 0 && height > 0 ? (width, height) : throw new PictureDamagedException(path, "it states no size");
    }

    private static byte[] ReadBlock(string path, Stream stream, uint length, ContainerContent content)
    {
        content.Take(path, length);
        byte[] data = new byte[length];
        stream.ReadExactly(data);
        return data;
    }

    // Composes a file that has pixels only. Transparency of lossy pixels needs the extended header.
    private static void Compose(ContainerContent content, FilePart pixels, FilePart? alpha)
    {
        bool hasPlane = alpha is not null && !content.HasAlpha;
        FilePart[] chunks = hasPlane
            ? [Bytes(Chunk("VP8X"u8, Extended(AlphaFlag, content.Width, content.Height))), .. Even(alpha!.Value), .. Even(pixels)]
            : Even(pixels);
        content.HasAlpha |= hasPlane;
        byte[] riff = [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBP"u8];
        BinaryPrimitives.WriteUInt32LittleEndian(riff.AsSpan(4), (uint)(4 + chunks.Sum(chunk => chunk.Length)));
        content.Parts.Add(Bytes(riff));
        content.Parts.AddRange(chunks);
    }

    private static FilePart Bytes(byte[] bytes) => new(0, bytes.Length, bytes);

    private static FilePart[] Even(FilePart part) => part.Length % 2 == 0 ? [part] : [part, Bytes([0])];

    private static byte[] Extended(byte flags, int width, int height)
    {
        byte[] data = new byte[ExtendedBytes];
        data[0] = flags;
        (data[4], data[5], data[6]) = ((byte)(width - 1), (byte)(width - 1 >> 8), (byte)(width - 1 >> 16));
        (data[7], data[8], data[9]) = ((byte)(height - 1), (byte)(height - 1 >> 8), (byte)(height - 1 >> 16));
        return data;
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        var chunk = new ArrayBufferWriter<byte>();
        WriteChunk(chunk, type, data);
        return chunk.WrittenSpan.ToArray();
    }

    // Bytes of a chunk with its head and its padding; none if there is no data.
    private static int ChunkBytes(byte[] data) => data.Length == 0 ? 0 : HeadBytes + data.Length + data.Length % 2;

    private static void WriteChunk(IBufferWriter<byte> file, ReadOnlySpan<byte> type, byte[] data)
    {
        Span<byte> size = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, data.Length);
        file.Write(type);
        file.Write(size);
        file.Write(data);
        if (data.Length % 2 != 0) file.Write((ReadOnlySpan<byte>)[0]);
    }
}
