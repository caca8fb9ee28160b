using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Uploads;

/// <summary>Reads the pixels of uploads.</summary>
internal static class UploadPixels
{
    private const int Channels = 3;

    /// <summary>The picture of a file.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <exception cref="PictureFileException">The file cannot be decoded.</exception>
    public static SourceImage SourceOf(ReadOnlyMemory<byte> file, string? name)
    {
        using DecodedPicture decoded = PictureFile.Decode(file);
        return new SourceImage(decoded.Width, decoded.Height, decoded.Pixels.ToArray()) { Name = name };
    }

    /// <summary>A file as a mask: white is painted anew.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <exception cref="PictureFileException">The file cannot be decoded.</exception>
    public static MaskImage MaskOf(ReadOnlyMemory<byte> file, string? name)
    {
        using DecodedPicture decoded = PictureFile.Decode(file);
        ReadOnlySpan<byte> from = decoded.Pixels.Span;
        byte[] pixels = new byte[decoded.Width * decoded.Height];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = Luma(from.Slice(i * Channels, Channels));
        return new MaskImage(decoded.Width, decoded.Height, pixels) { Name = name };
    }

    // ITU-R 601-2 in 16 bits, as Pillow converts to L (libImaging/Convert.c, L24).
    private static byte Luma(ReadOnlySpan<byte> pixel) => (byte)((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
}
