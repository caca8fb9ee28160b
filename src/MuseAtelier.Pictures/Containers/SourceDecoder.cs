using MuseAtelier.Pictures.Metadata;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.PixelFormats;

namespace MuseAtelier.Pictures.Containers;

/// <summary>The pixels of a source, upright, with their opacity.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
/// <param name="Colours">[Height, Width, 3] RGB, 8 bits a channel.</param>
/// <param name="Opacity">[Height, Width]; empty if the picture is opaque everywhere.</param>
/// <param name="Notices">Faults, and properties that are not applied: parts of sentences that begin with "its".</param>
internal sealed record SourcePixels(int Width, int Height, byte[] Colours, byte[] Opacity, IReadOnlyList<string> Notices);

/// <summary>Decodes pictures that others are painted from: as they are meant to be seen, where that can be told.</summary>
internal static class SourceDecoder
{
    private const int Channels = 3;

    /// <summary>Decodes a picture.</summary>
    /// <param name="input">The picture; borrowed.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static SourcePixels Decode(PictureInput input, CancellationToken cancellationToken) =>
        PictureCodecs.IsBuiltIn(input.Format)
            ? PictureDecoder.DecodeBuiltIn(input, (content, pixels, decoder) => Decode(input, content, pixels, decoder), cancellationToken)
            : DecodeForeign(input, cancellationToken);

    private static SourcePixels Decode(PictureInput input, ContainerContent content, Stream pixels, IImageDecoder decoder)
    {
        if (content.IsCutOff || (input.Format == PictureFormat.Jpeg && JpegFile.IsCutOff(input.Stream, content)))
            throw new PictureDamagedException(input.Name, "it ends before its pixels do");
        List<string> notices = [.. content.Notices];
        ExifFacts? exif = content.Exif.IsEmpty ? null : ExifReader.Read(content.Exif.Span);
        if (exif is null && !content.Exif.IsEmpty) notices.Add("its EXIF block cannot be read");
        if (IccProfile.Notice(content.Icc.Span) is { } profile) notices.Add(profile);
        (byte[] colours, byte[] opacity) = content.HasAlpha ? DecodeTransparent(pixels, decoder) : (DecodeOpaque(pixels, decoder), []);
        return Upright(content.Width, content.Height, colours, opacity, exif?.Orientation ?? 1, notices);
    }

    private static SourcePixels Upright(
        int width, int height, byte[] colours, byte[] opacity, int orientation, IReadOnlyList<string> notices)
    {
        if (orientation == 1) return new SourcePixels(width, height, colours, opacity, notices);
        bool isTurned = orientation >= 5;
        return new SourcePixels(
            isTurned ? height : width,
            isTurned ? width : height,
            ExifOrientation.Apply(colours, Channels, width, height, orientation),
            opacity.Length == 0 ? opacity : ExifOrientation.Apply(opacity, 1, width, height, orientation),
            notices);
    }

    private static byte[] DecodeOpaque(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgb24> image = Image.Load<Rgb24>(PixelCodecs.Configuration, stream, decoder);
        byte[] colours = new byte[image.Width * image.Height * Channels];
        image.CopyPixelDataTo(colours);
        return colours;
    }

    private static (byte[] Colours, byte[] Opacity) DecodeTransparent(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgba32> image = Image.Load<Rgba32>(PixelCodecs.Configuration, stream, decoder);
        byte[] colours = new byte[image.Width * image.Height * Channels];
        byte[] opacity = new byte[image.Width * image.Height];
        image.ProcessPixelRows(rows =>
        {
            int at = 0;
            for (int y = 0; y < rows.Height; y++)
            {
                foreach (Rgba32 pixel in rows.GetRowSpan(y))
                {
                    (colours[at * Channels], colours[at * Channels + 1], colours[at * Channels + 2]) = (pixel.R, pixel.G, pixel.B);
                    opacity[at++] = pixel.A;
                }
            }
        });
        return (colours, opacity.AsSpan().IndexOfAnyExcept(byte.MaxValue) < 0 ? [] : opacity);
    }

    // Codecs of other formats give the colours alone, as they decode them.
    private static SourcePixels DecodeForeign(PictureInput input, CancellationToken cancellationToken)
    {
        using DecodedPicture decoded = PictureDecoder.Decode(input, cancellationToken);
        return new SourcePixels(decoded.Width, decoded.Height, decoded.Pixels.ToArray(), [], []);
    }
}
