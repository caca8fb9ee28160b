using NetVips;

namespace MuseAtelier.Tests.Support;

/// <summary>The picture starry-512.png as a source, and masks for it.</summary>
internal static class Starry
{
    private const int Side = 512;

    /// <summary>The picture itself.</summary>
    public static SourceImage Large { get; } = new(Side, Side, Read(Path.Combine(GoldenFiles.Folder, "starry-512.png")));

    /// <summary>Every other pixel of it, 256x256.</summary>
    public static SourceImage Small { get; } = Halve(Large);

    /// <summary>A mask of a size, white in a rectangle: from a quarter to three quarters of each side.</summary>
    public static MaskImage Middle(int side)
    {
        byte[] pixels = new byte[side * side];
        for (int y = side / 4; y < side * 3 / 4; y++) pixels.AsSpan(y * side + side / 4, side / 2).Fill(255);
        return new MaskImage(side, side, pixels);
    }

    /// <summary>Reads the bytes of a picture file.</summary>
    public static byte[] Read(string path)
    {
        using Image image = Image.NewFromFile(path);
        return image.WriteToMemory<byte>();
    }

    private static SourceImage Halve(SourceImage image)
    {
        byte[] pixels = new byte[Side / 2 * (Side / 2) * 3];
        for (int y = 0; y < Side / 2; y++)
            for (int x = 0; x < Side / 2; x++)
                image.Pixels.Span.Slice((2 * y * Side + 2 * x) * 3, 3).CopyTo(pixels.AsSpan((y * (Side / 2) + x) * 3));
        return new SourceImage(Side / 2, Side / 2, pixels);
    }
}
