using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Tests.Pictures;

/// <summary>The parts of the encoder, and the decoder, with arrays.</summary>
internal static class Encoded
{
    public static byte[] Picture(
        string path, ReadOnlyMemory<byte> pixels, int width, int height, RecordedEncoding encoding, MetadataTexts texts)
    {
        using ArrayPoolBufferWriter<byte> file = PictureEncoder.Encode(path, pixels, width, height, encoding, texts);
        return file.WrittenSpan.ToArray();
    }

    public static byte[] Png(byte[] png, IReadOnlyList<PngChunk> chunks) => Bytes(file => PngFile.Embed(png, chunks, file));

    public static byte[] Jpeg(byte[] jpeg, byte[] exif, byte[] xmp) => Bytes(file => JpegFile.Embed(jpeg, exif, xmp, file));

    public static byte[] WebP(byte[] webp, int width, int height, byte[] exif, byte[] xmp) =>
        Bytes(file => WebPFile.Embed(webp, width, height, exif, xmp, file));

    public static (int Width, int Height, byte[] Pixels) Pixels(string path)
    {
        using DecodedPicture decoded = PictureFile.Decode(path);
        return (decoded.Width, decoded.Height, decoded.Pixels.ToArray());
    }

    private static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var file = new ArrayBufferWriter<byte>();
        write(file);
        return file.WrittenSpan.ToArray();
    }
}
