using System.Globalization;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Reads metadata and pixels of files. Files that are larger than any picture of this project are refused.</summary>
internal static class PictureDecoder
{
    private const int Channels = 3;
    private const long MostBytes = 256L << 20;

    /// <summary>Reads size and metadata without decoding pixels.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">The format that its first bytes name.</param>
    /// <exception cref="PictureFileException">The file cannot be read.</exception>
    public static PictureFileContent ReadMetadata(string path, PictureFormat format)
    {
        if (!PictureCodecs.IsBuiltIn(format))
            return Content(Foreign(path, PictureCodecs.Require(path, format)).Header).Describe(path, format);
        using FileStream stream = File.OpenRead(path);
        return ReadContainer(path, stream, format).Describe(path, format);
    }

    /// <summary>Decodes to [height, width, 3] RGB, 8 bits; transparent pixels are blended with black.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">The format that its first bytes name.</param>
    /// <exception cref="PictureFileException">The file cannot be read.</exception>
    public static (int Width, int Height, byte[] Pixels) ReadPixels(string path, PictureFormat format) =>
        PictureCodecs.IsBuiltIn(format) ? ReadBuiltIn(path, format) : ReadForeign(path, PictureCodecs.Require(path, format));

    private static ContainerContent ReadContainer(string path, Stream stream, PictureFormat format) => format switch
    {
        PictureFormat.Png => PngReader.Read(path, stream),
        PictureFormat.Jpeg => JpegFile.Read(path, stream),
        _ => WebPFile.Read(path, stream),
    };

    private static (int Width, int Height, byte[] Pixels) ReadBuiltIn(string path, PictureFormat format)
    {
        using FileStream file = File.OpenRead(path);
        RequireSize(path, file.Length);
        ContainerContent content = ReadContainer(path, file, format);
        RequirePixels(path, content.Width, content.Height);
        if (content.Unsupported is { } reason) throw new PictureUnsupportedException(path, reason);
        // A file of a few bytes must not make the decoder allocate memory for millions of pixels.
        if (content.PixelBytes * content.PixelsPerByte < (double)content.Width * content.Height)
            throw new PictureDamagedException(path,
                string.Create(CultureInfo.InvariantCulture,
                    $"its {content.PixelBytes:N0} bytes of pixels cannot hold {content.Width}x{content.Height} px"));
        using var pixels = new PartStream(file, content.Parts);
        IImageDecoder decoder = Imaging.Decoder(format);
        return Guard(path, () =>
        {
            // The decoder allocates memory by its own reading of the size, so that reading is checked too.
            IImageInfo? info = Image.Identify(Imaging.Configuration, pixels);
            if (info is null || (info.Width, info.Height) != (content.Width, content.Height))
                throw new PictureDamagedException(path, "its parts state different sizes");
            pixels.Position = 0;
            return (content.Width, content.Height, content.HasAlpha ? DecodeOnBlack(pixels, decoder) : Decode(pixels, decoder));
        });
    }

    private static byte[] Decode(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgb24> image = Image.Load<Rgb24>(Imaging.Configuration, stream, decoder);
        byte[] pixels = new byte[image.Width * image.Height * Channels];
        image.CopyPixelDataTo(pixels);
        return pixels;
    }

    private static byte[] DecodeOnBlack(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgba32> image = Image.Load<Rgba32>(Imaging.Configuration, stream, decoder);
        byte[] pixels = new byte[image.Width * image.Height * Channels];
        image.ProcessPixelRows(rows =>
        {
            int at = 0;
            for (int y = 0; y < rows.Height; y++)
            {
                foreach (Rgba32 pixel in rows.GetRowSpan(y))
                {
                    pixels[at++] = OnBlack(pixel.R, pixel.A);
                    pixels[at++] = OnBlack(pixel.G, pixel.A);
                    pixels[at++] = OnBlack(pixel.B, pixel.A);
                }
            }
        });
        return pixels;
    }

    private static byte OnBlack(int colour, int alpha) => (byte)((colour * alpha + 127) / 255);

    private static (int Width, int Height, byte[] Pixels) ReadForeign(string path, IPictureCodec codec)
    {
        (byte[] file, PictureHeader header) = Foreign(path, codec);
        RequirePixels(path, header.Width, header.Height);
        byte[] pixels = Guard(path, () => codec.Decode(file));
        return pixels.LongLength == (long)header.Width * header.Height * Channels
            ? (header.Width, header.Height, pixels)
            : throw new PictureDamagedException(path, "its parts state different sizes");
    }

    private static (byte[] File, PictureHeader Header) Foreign(string path, IPictureCodec codec)
    {
        RequireSize(path, new FileInfo(path).Length);
        byte[] file = File.ReadAllBytes(path);
        return (file, Guard(path, () => codec.ReadHeader(file)));
    }

    private static ContainerContent Content(PictureHeader header) => new()
    {
        Width = header.Width,
        Height = header.Height,
        Exif = header.Exif,
        Xmp = header.Xmp,
        Icc = header.Icc,
    };

    private static void RequireSize(string path, long bytes)
    {
        if (bytes > MostBytes)
            throw new PictureTooLargeException(path,
                string.Create(CultureInfo.InvariantCulture, $"it has {bytes:N0} bytes, and pictures of up to {MostBytes:N0} are read"));
    }

    private static void RequirePixels(string path, int width, int height)
    {
        if ((long)width * height > Imaging.MostPixels)
            throw new PictureTooLargeException(path,
                string.Create(CultureInfo.InvariantCulture,
                    $"it states {width}x{height} px, and pictures of up to {Imaging.MostPixels:N0} px are read"));
    }

    // Decoders may throw any exception for a hostile file.
    private static T Guard<T>(string path, Func<T> decode)
    {
        try
        {
            return decode();
        }
        catch (Exception exception) when (exception is OutOfMemoryException or InvalidMemoryOperationException)
        {
            throw new PictureTooLargeException(path, "it needs more memory than is available", exception);
        }
        catch (Exception exception) when (exception is NotSupportedException)
        {
            throw new PictureUnsupportedException(path, Reason(exception), exception);
        }
        catch (Exception exception) when (exception is not (PictureFileException or UnauthorizedAccessException)
            && (exception is not IOException || exception is EndOfStreamException))
        {
            throw new PictureDamagedException(path, Reason(exception), exception);
        }
    }

    private static string Reason(Exception exception) => exception.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.');
}
