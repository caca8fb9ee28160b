using System.Buffers.Binary;
using System.IO.Hashing;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Tests.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MuseAtelier.Tests.Server.Uploads;

/// <summary>Small pictures and masks as files.</summary>
internal static class UploadFilesOf
{
    /// <summary>An opaque picture whose pixels follow from a number.</summary>
    public static byte[] Picture(int number = 1, int width = 32, int height = 24)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i * 7 + number * 31);
        return Png(width, height, pixels);
    }

    /// <summary>A mask that is white in its left half.</summary>
    public static byte[] Mask(int width = 32, int height = 24)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++) pixels.AsSpan(i * 3, 3).Fill(i % width < width / 2 ? byte.MaxValue : (byte)0);
        return Png(width, height, pixels);
    }

    /// <summary>A black picture.</summary>
    public static byte[] Black(int width = 32, int height = 24) => Png(width, height, new byte[width * height * 3]);

    /// <summary>A picture that is transparent in its left half.</summary>
    public static byte[] Transparent(int width = 32, int height = 24)
    {
        using var image = new Image<Rgba32>(width, height);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) image[x, y] = new Rgba32(200, 100, 50, x < width / 2 ? (byte)0 : byte.MaxValue);
        using var file = new MemoryStream();
        image.SaveAsPng(file);
        return file.ToArray();
    }

    /// <summary>A file of some bytes that states an enormous picture.</summary>
    public static byte[] Bomb()
    {
        byte[] file = Picture();
        // The header's chunk begins behind the signature, the length and the type.
        const int header = 16, length = 13;
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(header), 20_000);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(header + 4), 20_000);
        Crc32.Hash(file.AsSpan(header - 4, length + 4), file.AsSpan(header + length));
        file.AsSpan(header + length, 4).Reverse();
        return file;
    }

    private static byte[] Png(int width, int height, byte[] pixels) => Encoded.Picture(
        "a", pixels, width, height, new RecordedEncoding(PictureFormat.Png), new MetadataTexts(null, null, null));
}
