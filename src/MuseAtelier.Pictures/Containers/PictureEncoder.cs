using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using CommunityToolkit.HighPerformance;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Metadata;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MuseAtelier.Pictures.Containers;

/// <summary>
/// Encodes pixels and metadata to the bytes of a file. The same input gives the same bytes. After a failure, pooled memory is left to the
/// garbage collector.
/// </summary>
internal static class PictureEncoder
{
    private const int Channels = 3;

    // The resolution that programs write for pictures without one.
    private const double DotsPerInch = 72;

    private const int TrialSide = 16;

    private const int LeastBuffer = 4096;

    private const int LargestPooled = 8 << 20;
    private const int PooledOfASize = 4;

    // A pool of its own: the shared one keeps an array for each thread that gave one back, where other threads do not find it. Servers
    // encode on whichever thread is free, and would allocate megabytes for each picture.
    private static readonly ArrayPool<byte> Buffers = ArrayPool<byte>.Create(LargestPooled, PooledOfASize);

    // Formats whose encoder has worked in this process.
    private static readonly ConcurrentDictionary<PictureFormat, bool> Tried = new();

    /// <summary>Encodes a picture to pooled memory.</summary>
    /// <param name="path">Path of the future file, for messages.</param>
    /// <param name="pixels">[height, width, 3] RGB; borrowed.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="encoding">Format and quality.</param>
    /// <param name="texts">The texts of the file.</param>
    /// <returns>The file's bytes; the caller disposes them.</returns>
    /// <exception cref="PictureMetadataTooLargeException">The texts do not fit into the format.</exception>
    /// <exception cref="PictureCodecMissingException">No codec is registered for the format.</exception>
    /// <exception cref="PictureNotEncodedException">The encoder failed.</exception>
    public static ArrayPoolBufferWriter<byte> Encode(
        string path, ReadOnlyMemory<byte> pixels, int width, int height, RecordedEncoding encoding, MetadataTexts texts)
    {
        PictureFormat format = encoding.Format;
        // In PNG files the record has a chunk of its own; in other files it is in XMP.
        bool isPng = format == PictureFormat.Png;
        byte[] exif = texts.Parameters is null ? [] : ExifBlock.Write(texts.Software!, texts.Parameters);
        byte[] xmp = texts.Software is null ? [] : XmpPacket.Write(texts.Software, isPng ? null : texts.Record);
        if (format == PictureFormat.Jpeg)
        {
            if (exif.Length > JpegFile.ExifRoom) throw new PictureMetadataTooLargeException(path, "EXIF", exif.Length, JpegFile.ExifRoom);
            if (xmp.Length > JpegFile.XmpRoom) throw new PictureMetadataTooLargeException(path, "XMP", xmp.Length, JpegFile.XmpRoom);
        }

        return Guard(path, format, () =>
        {
            var header = new PictureHeader(width, height) { Exif = exif, Xmp = xmp };
            if (!PictureCodecs.IsBuiltIn(format)) return EncodeForeign(path, pixels, header, encoding);
            using ArrayPoolBufferWriter<byte> plain = EncodePixels(pixels, width, height, encoding);
            ReadOnlySpan<byte> bytes = plain.WrittenSpan;
            var file = new ArrayPoolBufferWriter<byte>(Buffers, plain.WrittenCount + exif.Length + xmp.Length + LeastBuffer);
            if (isPng) PngFile.Embed(bytes, Chunks(texts, exif, xmp), file);
            else if (format == PictureFormat.Jpeg) JpegFile.Embed(bytes, exif, xmp, file);
            else WebPFile.Embed(bytes, width, height, exif, xmp, file);
            return file;
        });
    }

    /// <summary>Encodes a few pixels, so that a broken encoder is detected before a picture is painted.</summary>
    /// <param name="path">Path of the future file, for messages.</param>
    /// <param name="format">The format.</param>
    /// <exception cref="PictureCodecMissingException">No codec is registered for the format.</exception>
    /// <exception cref="PictureNotEncodedException">The encoder failed.</exception>
    public static void Prepare(string path, PictureFormat format)
    {
        if (Tried.ContainsKey(format)) return;
        var encoding = new RecordedEncoding(format, PictureFormats.DefaultQuality(format));
        Encode(path, new byte[TrialSide * TrialSide * Channels], TrialSide, TrialSide, encoding, new MetadataTexts(null, null, null))
            .Dispose();
        Tried[format] = true;
    }

    private static int DefaultQuality(PictureFormat format) =>
        PictureFormats.DefaultQuality(format) ?? throw new ArgumentOutOfRangeException(nameof(format), format, null);

    private static ArrayPoolBufferWriter<byte> EncodeForeign(
        string path, ReadOnlyMemory<byte> pixels, PictureHeader header, RecordedEncoding encoding)
    {
        IPictureCodec codec = PictureCodecs.Require(path, encoding.Format);
        var file = new ArrayPoolBufferWriter<byte>(Buffers);
        codec.Encode(pixels, header, encoding.Quality ?? DefaultQuality(encoding.Format), file);
        return file;
    }

    private static ArrayPoolBufferWriter<byte> EncodePixels(
        ReadOnlyMemory<byte> pixels, int width, int height, RecordedEncoding encoding)
    {
        // Encoders only read the pixels, so they work on the picture's own memory.
        using Image<Rgb24> image =
            Image.WrapMemory<Rgb24>(PixelCodecs.Configuration, MemoryMarshal.AsMemory(pixels), width, height);
        image.Metadata.HorizontalResolution = DotsPerInch;
        image.Metadata.VerticalResolution = DotsPerInch;
        // PNG takes one to two bytes for a pixel, the lossy formats a quarter of one.
        int expected = encoding.Format == PictureFormat.Png ? 2 * width * height : width * height / 4;
        var file = new ArrayPoolBufferWriter<byte>(Buffers, Math.Max(expected, LeastBuffer));
        using Stream stream = file.AsStream();
        image.Save(stream, PixelCodecs.Encoder(encoding));
        return file;
    }

    // Libraries may throw any exception. Callers must be able to catch one type, so that a painted picture is not lost.
    private static ArrayPoolBufferWriter<byte> Guard(string path, PictureFormat format, Func<ArrayPoolBufferWriter<byte>> encode)
    {
        try
        {
            return encode();
        }
        catch (Exception exception) when (exception is not PictureFileException)
        {
            throw new PictureNotEncodedException(path, format, exception);
        }
    }

    private static List<PngChunk> Chunks(MetadataTexts texts, byte[] exif, byte[] xmp)
    {
        List<PngChunk> chunks = [];
        if (texts.Parameters is not null) chunks.Add(PngChunk.Text(ParametersText.Keyword, texts.Parameters));
        if (xmp.Length > 0) chunks.Add(PngChunk.InternationalText(XmpPacket.PngKeyword, Encoding.UTF8.GetString(xmp)));
        if (texts.Record is not null) chunks.Add(PngChunk.InternationalText(PictureRecord.Keyword, texts.Record));
        if (exif.Length > 0) chunks.Add(new PngChunk("eXIf", exif));
        return chunks;
    }
}
