using System.Globalization;
using CommunityToolkit.HighPerformance.Buffers;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Reads metadata and pixels. Pictures that are larger than any picture of this project are refused.</summary>
internal static class PictureDecoder
{
    private const int Channels = 3;

    /// <summary>Reads size and metadata without decoding pixels.</summary>
    /// <param name="input">The picture; borrowed.</param>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static PictureFileContent ReadMetadata(PictureInput input)
    {
        ContainerContent content = PictureCodecs.IsBuiltIn(input.Format) ? ReadContainer(input)
            : Content(ReadHeader(input, PictureCodecs.Require(input.Name, input.Format)));
        return content.Describe(input.Name, input.Format);
    }

    /// <summary>Decodes to [height, width, 3] RGB, 8 bits; transparent pixels are blended with black.</summary>
    /// <param name="input">The picture; borrowed.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static DecodedPicture Decode(PictureInput input, CancellationToken cancellationToken) =>
        PictureCodecs.IsBuiltIn(input.Format) ? DecodeBuiltIn(input, cancellationToken)
            : DecodeForeign(input, PictureCodecs.Require(input.Name, input.Format), cancellationToken);

    private static ContainerContent ReadContainer(PictureInput input) => input.Format switch
    {
        PictureFormat.Png => PngReader.Read(input.Name, input.Stream),
        PictureFormat.Jpeg => JpegFile.Read(input.Name, input.Stream),
        _ => WebPFile.Read(input.Name, input.Stream),
    };

    /// <summary>Decodes a picture of a built-in format, after everything has been checked that can be without decoding.</summary>
    /// <typeparam name="T">The type of what is decoded.</typeparam>
    /// <param name="input">The picture; borrowed.</param>
    /// <param name="decode">Decodes a file that has pixels alone.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static T DecodeBuiltIn<T>(
        PictureInput input, Func<ContainerContent, Stream, IImageDecoder, T> decode, CancellationToken cancellationToken)
    {
        string path = input.Name;
        PictureInput.RequireSize(path, input.Stream.Length);
        ContainerContent content = ReadContainer(input);
        RequirePixels(path, content.Width, content.Height);
        if (content.Unsupported is { } reason) throw new PictureUnsupportedException(path, reason);
        // A file of a few bytes must not make the decoder allocate memory for millions of pixels.
        if (content.PixelBytes * content.PixelsPerByte < (double)content.Width * content.Height)
            throw new PictureDamagedException(path,
                string.Create(CultureInfo.InvariantCulture,
                    $"its {content.PixelBytes:N0} bytes of pixels cannot hold {content.Width}x{content.Height} px"));
        cancellationToken.ThrowIfCancellationRequested();
        using var pixels = new PartStream(input.Stream, content.Parts);
        IImageDecoder decoder = PixelCodecs.Decoder(input.Format);
        return Guard(path, () =>
        {
            // The decoder allocates memory by its own reading of the size, so that reading is checked too.
            IImageInfo? info = Image.Identify(PixelCodecs.Configuration, pixels);
            if (info is null || (info.Width, info.Height) != (content.Width, content.Height))
                throw new PictureDamagedException(path, "its parts state different sizes");
            pixels.Position = 0;
            return decode(content, pixels, decoder);
        });
    }

    private static DecodedPicture DecodeBuiltIn(PictureInput input, CancellationToken cancellationToken) =>
        DecodeBuiltIn(
            input,
            (content, pixels, decoder) =>
            {
                MemoryOwner<byte> decoded = content.HasAlpha ? DecodeOnBlack(pixels, decoder) : DecodeOpaque(pixels, decoder);
                return new DecodedPicture(input.Format, content.Width, content.Height, decoded);
            },
            cancellationToken);

    private static MemoryOwner<byte> DecodeOpaque(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgb24> image = Image.Load<Rgb24>(PixelCodecs.Configuration, stream, decoder);
        MemoryOwner<byte> pixels = Allocate(image.Width, image.Height);
        image.CopyPixelDataTo(pixels.Span);
        return pixels;
    }

    private static MemoryOwner<byte> DecodeOnBlack(Stream stream, IImageDecoder decoder)
    {
        using Image<Rgba32> image = Image.Load<Rgba32>(PixelCodecs.Configuration, stream, decoder);
        MemoryOwner<byte> pixels = Allocate(image.Width, image.Height);
        image.ProcessPixelRows(rows =>
        {
            Span<byte> to = pixels.Span;
            int at = 0;
            for (int y = 0; y < rows.Height; y++)
            {
                foreach (Rgba32 pixel in rows.GetRowSpan(y))
                {
                    to[at++] = OnBlack(pixel.R, pixel.A);
                    to[at++] = OnBlack(pixel.G, pixel.A);
                    to[at++] = OnBlack(pixel.B, pixel.A);
                }
            }
        });
        return pixels;
    }

    private static MemoryOwner<byte> Allocate(int width, int height) =>
        MemoryOwner<byte>.Allocate(checked(width * height * Channels));

    private static byte OnBlack(int colour, int alpha) => (byte)((colour * alpha + 127) / 255);

    private static DecodedPicture DecodeForeign(PictureInput input, IPictureCodec codec, CancellationToken cancellationToken)
    {
        PictureHeader header = ReadHeader(input, codec);
        RequirePixels(input.Name, header.Width, header.Height);
        if (header.Width <= 0 || header.Height <= 0) throw new PictureDamagedException(input.Name, "it states no size");
        cancellationToken.ThrowIfCancellationRequested();
        ReadOnlyMemory<byte> file = input.ToMemory();
        MemoryOwner<byte> pixels = Allocate(header.Width, header.Height);
        return Guard(input.Name, () =>
        {
            codec.Decode(file, pixels.Memory);
            return new DecodedPicture(input.Format, header.Width, header.Height, pixels);
        });
    }

    private static PictureHeader ReadHeader(PictureInput input, IPictureCodec codec)
    {
        ReadOnlyMemory<byte> file = input.ToMemory();
        return Guard(input.Name, () => codec.ReadHeader(file));
    }

    private static ContainerContent Content(PictureHeader header) => new()
    {
        Width = header.Width,
        Height = header.Height,
        Exif = header.Exif,
        Xmp = header.Xmp,
        Icc = header.Icc,
    };

    private static void RequirePixels(string path, int width, int height)
    {
        if ((long)width * height > PixelCodecs.MostPixels)
            throw new PictureTooLargeException(path,
                string.Create(CultureInfo.InvariantCulture,
                    $"it states {width}x{height} px, and pictures of up to {PixelCodecs.MostPixels:N0} px are read"));
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
