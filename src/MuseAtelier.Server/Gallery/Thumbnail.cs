using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace MuseAtelier.Server.Gallery;

/// <summary>Makes a thumbnail of a picture.</summary>
internal static class Thumbnail
{
    /// <summary>The longer side in px of a thumbnail; smaller pictures keep their size.</summary>
    public const int LongerSide = 480;

    // Decoding takes six bytes for a pixel at its peak: about 200 MB at most, and 25 MB for the largest picture that the server paints.
    private const long MostPixels = 32_000_000;

    private const int Quality = 82;
    private const int Channels = 3;

    /// <summary>Decodes a picture, makes it small, and turns it as its EXIF orientation says.</summary>
    /// <param name="path">The picture.</param>
    /// <returns>A WebP file without metadata.</returns>
    /// <exception cref="PictureFileException">The picture cannot be decoded, or is too large.</exception>
    public static byte[] Make(string path)
    {
        PictureFileContent content = PictureFile.Read(path);
        if ((long)content.Width * content.Height > MostPixels)
            throw new PictureTooLargeException(path, FormattableString.Invariant($"{content.Width}x{content.Height} px"));
        using DecodedPicture picture = PictureFile.Decode(path);
        (int width, int height) = SizeOf(picture.Width, picture.Height);
        (RotateMode rotation, FlipMode flip) = TurnOf(content.Orientation);
        bool isUpright = (rotation, flip) == (RotateMode.None, FlipMode.None);
        if (isUpright && (width, height) == (picture.Width, picture.Height)) return Encode(picture.Pixels, width, height);
        using Image<Rgb24> image = Image.WrapMemory<Rgb24>(
            PixelCodecs.Configuration, MemoryMarshal.AsMemory(picture.Pixels), picture.Width, picture.Height);
        using Image<Rgb24> small = image.Clone(
            PixelCodecs.Configuration, change => change.Resize(width, height, KnownResamplers.Triangle).RotateFlip(rotation, flip));
        using MemoryOwner<byte> pixels = MemoryOwner<byte>.Allocate(width * height * Channels);
        small.CopyPixelDataTo(pixels.Span);
        return Encode(pixels.Memory, small.Width, small.Height);
    }

    // EXIF 2.32, tag 0x0112: first the turn clockwise, then the mirroring.
    private static (RotateMode Rotation, FlipMode Flip) TurnOf(int orientation) => orientation switch
    {
        2 => (RotateMode.None, FlipMode.Horizontal),
        3 => (RotateMode.Rotate180, FlipMode.None),
        4 => (RotateMode.None, FlipMode.Vertical),
        5 => (RotateMode.Rotate90, FlipMode.Horizontal),
        6 => (RotateMode.Rotate90, FlipMode.None),
        7 => (RotateMode.Rotate270, FlipMode.Horizontal),
        8 => (RotateMode.Rotate270, FlipMode.None),
        _ => (RotateMode.None, FlipMode.None),
    };

    private static (int Width, int Height) SizeOf(int width, int height)
    {
        double scale = Math.Min(1, LongerSide / (double)Math.Max(width, height));
        return (Math.Max(1, (int)Math.Round(width * scale)), Math.Max(1, (int)Math.Round(height * scale)));
    }

    private static byte[] Encode(ReadOnlyMemory<byte> pixels, int width, int height)
    {
        var encoding = new RecordedEncoding(PictureFormat.WebP, Quality);
        using ArrayPoolBufferWriter<byte> file =
            PictureEncoder.Encode("the thumbnail", pixels, width, height, encoding, new MetadataTexts(null, null, null));
        return file.WrittenSpan.ToArray();
    }
}
