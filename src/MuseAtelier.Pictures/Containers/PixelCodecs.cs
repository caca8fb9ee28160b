using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;

namespace MuseAtelier.Pictures.Containers;

/// <summary>The configuration of ImageSharp: three formats, bounded memory, one thread.</summary>
internal static class PixelCodecs
{
    /// <summary>The most pixels that are decoded from one file.</summary>
    public const long MostPixels = 64_000_000;

    // WebP is decoded to four bytes per pixel, so no buffer of a picture within the limit is larger.
    private const int MostMegabytes = 256;

    /// <summary>The configuration for all encoding and decoding. It must not be changed.</summary>
    public static Configuration Configuration { get; } = new(new PngConfigurationModule(), new JpegConfigurationModule(),
        new WebpConfigurationModule())
    {
        // Without a pool, a picture's buffers are freed when it is done.
        MemoryAllocator = MemoryAllocator.Create(
            new MemoryAllocatorOptions { AllocationLimitMegabytes = MostMegabytes, MaximumPoolSizeMegabytes = 0 }),
        MaxDegreeOfParallelism = 1,
    };

    /// <summary>A decoder that ignores metadata, which this project reads itself.</summary>
    /// <param name="format">PNG, JPEG or WebP.</param>
    public static IImageDecoder Decoder(PictureFormat format) => format switch
    {
        PictureFormat.Png => new PngDecoder { IgnoreMetadata = true },
        PictureFormat.Jpeg => new JpegDecoder { IgnoreMetadata = true },
        PictureFormat.WebP => new WebpDecoder { IgnoreMetadata = true },
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    /// <summary>An encoder.</summary>
    /// <param name="encoding">PNG, JPEG or WebP, and its quality.</param>
    public static IImageEncoder Encoder(RecordedEncoding encoding) => encoding.Format switch
    {
        // Higher levels take several times as long and save about a tenth. The adaptive filter chooses Paeth for pictures anyway, and takes
        // time to choose.
        PictureFormat.Png => new PngEncoder
        {
            CompressionLevel = PngCompressionLevel.Level2,
            FilterMethod = PngFilterMethod.Paeth,
            ColorType = PngColorType.Rgb,
            BitDepth = PngBitDepth.Bit8,
            IgnoreMetadata = true,
        },
        // Below quality 90 colour has half the resolution, as with libjpeg.
        PictureFormat.Jpeg => new JpegEncoder
        {
            Quality = encoding.Quality,
            ColorType = encoding.Quality >= 90 ? JpegColorType.YCbCrRatio444 : JpegColorType.YCbCrRatio420,
        },
        PictureFormat.WebP => new WebpEncoder { FileFormat = WebpFileFormatType.Lossy, Quality = encoding.Quality ?? 95 },
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding.Format, null),
    };
}
