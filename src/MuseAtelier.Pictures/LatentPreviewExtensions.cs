using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>Encodes previews, for example for a web page that shows how a picture is painted. They get no metadata.</summary>
public static class LatentPreviewExtensions
{
    private const string Preview = "the preview";

    private static readonly MetadataTexts NoTexts = new(null, null, null);

    /// <summary>Encodes a preview to an array.</summary>
    /// <param name="preview">The preview.</param>
    /// <param name="format">The format.</param>
    /// <param name="quality">1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.</param>
    /// <returns>The bytes of the file, which are the caller's.</returns>
    /// <exception cref="PictureFileException">The preview cannot be encoded.</exception>
    public static byte[] Encode(this LatentPreview preview, PictureFormat format, int? quality = null)
    {
        using ArrayPoolBufferWriter<byte> file = ToPooled(preview, format, quality);
        return file.WrittenSpan.ToArray();
    }

    /// <summary>Encodes a preview to a stream, which need not seek and stays open.</summary>
    /// <param name="preview">The preview.</param>
    /// <param name="stream">Receives the bytes of the file.</param>
    /// <param name="format">The format.</param>
    /// <param name="quality">1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.</param>
    /// <exception cref="PictureFileException">The preview cannot be encoded.</exception>
    public static void Encode(this LatentPreview preview, Stream stream, PictureFormat format, int? quality = null) =>
        StreamOutput.Write(stream, () => ToPooled(preview, format, quality));

    /// <summary>
    /// Encodes a preview on the thread pool, and writes it to a stream by the stream's asynchronous methods alone. The stream need not seek
    /// and stays open.
    /// </summary>
    /// <param name="preview">The preview.</param>
    /// <param name="stream">Receives the bytes of the file.</param>
    /// <param name="format">The format.</param>
    /// <param name="quality">1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.</param>
    /// <param name="cancellationToken">Stops before or after the preview is encoded, and then as the stream allows it.</param>
    /// <exception cref="PictureFileException">The preview cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task EncodeAsync(
        this LatentPreview preview,
        Stream stream,
        PictureFormat format,
        int? quality = null,
        CancellationToken cancellationToken = default) =>
        StreamOutput.WriteAsync(stream, () => ToPooled(preview, format, quality), cancellationToken);

    private static ArrayPoolBufferWriter<byte> ToPooled(LatentPreview preview, PictureFormat format, int? quality)
    {
        ArgumentNullException.ThrowIfNull(preview);
        RecordedEncoding encoding = PictureEncodingOptions.EncodingOf(format, quality);
        return PictureEncoder.Encode(Preview, preview.Pixels, preview.Width, preview.Height, encoding, NoTexts);
    }
}
