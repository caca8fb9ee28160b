using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

// Streams and memory.
public static partial class PictureFile
{
    // Names a picture that is encoded, in messages.
    private const string NewPicture = "the picture";

    /// <summary>Encodes a picture to an array.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <returns>The bytes of the file, which are the caller's.</returns>
    /// <exception cref="PictureFileException">The picture cannot be encoded.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public static byte[] Encode(Picture picture, PictureFormat format, PictureEncodingOptions? options = null)
    {
        using ArrayPoolBufferWriter<byte> file = EncodePooled(picture, format, options);
        return file.WrittenSpan.ToArray();
    }

    /// <summary>Encodes a picture to pooled memory.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <returns>The bytes of the file; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">The picture cannot be encoded.</exception>
    internal static ArrayPoolBufferWriter<byte> EncodePooled(
        Picture picture, PictureFormat format, PictureEncodingOptions? options = null) =>
        ToPooled(NewPicture, picture, format, options);

    /// <summary>Encodes a picture to a buffer, such as a <see cref="System.IO.Pipelines.PipeWriter"/>, at once and whole.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="buffer">Receives the bytes of the file; nothing if the picture cannot be encoded.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <exception cref="PictureFileException">The picture cannot be encoded.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public static void Encode(
        Picture picture, IBufferWriter<byte> buffer, PictureFormat format, PictureEncodingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        using ArrayPoolBufferWriter<byte> file = ToPooled(NewPicture, picture, format, options);
        buffer.Write(file.WrittenSpan);
    }

    /// <summary>
    /// Encodes a picture to a stream. The stream need not seek. It stays open and unflushed, at the end of what was written. Exceptions of
    /// the stream itself pass through.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="stream">Receives the bytes of the file; nothing if the picture cannot be encoded.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <exception cref="PictureFileException">The picture cannot be encoded.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public static void Encode(Picture picture, Stream stream, PictureFormat format, PictureEncodingOptions? options = null) =>
        StreamOutput.Write(stream, () => ToPooled(NewPicture, picture, format, options));

    /// <summary>
    /// Encodes a picture on the thread pool, and writes it to a stream by the stream's asynchronous methods alone. The stream need not
    /// seek. It stays open and unflushed, at the end of what was written. Exceptions of the stream itself pass through.
    /// </summary>
    /// <param name="picture">The picture. It must not be disposed before the task has ended.</param>
    /// <param name="stream">Receives the bytes of the file; nothing if the picture cannot be encoded.</param>
    /// <param name="format">The format.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">
    /// Stops before or after the picture is encoded, and then as the stream allows it: it may have received a part.
    /// </param>
    /// <exception cref="PictureFileException">The picture cannot be encoded.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task EncodeAsync(
        Picture picture,
        Stream stream,
        PictureFormat format,
        PictureEncodingOptions? options = null,
        CancellationToken cancellationToken = default) =>
        StreamOutput.WriteAsync(stream, () => ToPooled(NewPicture, picture, format, options), cancellationToken);

    /// <summary>
    /// Reads the metadata of a picture from a stream, without decoding its pixels. The stream is read from its position to its end, and
    /// stays open. It need not seek. Exceptions of the stream itself pass through.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, longer than 256 MiB or not a picture, or its format needs a codec.
    /// </exception>
    public static PictureFileContent Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using PictureInput input = StreamIntake.Read(stream);
        return ReadMetadata(input);
    }

    /// <summary>
    /// Reads the metadata of a picture from a stream as <see cref="Read(Stream)"/> does, by the stream's asynchronous methods alone.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <param name="cancellationToken">Stops while the stream is read.</param>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, longer than 256 MiB or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<PictureFileContent> ReadAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using PictureInput input = await StreamIntake.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => ReadMetadata(input), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the metadata of a picture from memory, without decoding its pixels.</summary>
    /// <param name="file">The bytes of the file; borrowed for the call. The format is told from the first ones.</param>
    /// <exception cref="PictureFileException">The bytes are damaged or not a picture, or their format needs a codec.</exception>
    public static PictureFileContent Read(ReadOnlyMemory<byte> file)
    {
        using var input = PictureInput.OfMemory(file);
        return ReadMetadata(input);
    }

    /// <summary>
    /// Reads a picture's pixels from a stream, as <see cref="Decode(string)"/> does from a file. The stream is read from its position to
    /// its end, and stays open. It need not seek. Exceptions of the stream itself pass through.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, longer than 256 MiB, of more than 64,000,000 px or not a picture, or its format needs a codec.
    /// </exception>
    public static DecodedPicture Decode(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using PictureInput input = StreamIntake.Read(stream);
        return DecodePixels(input, CancellationToken.None);
    }

    /// <summary>
    /// Reads a picture's pixels from a stream as <see cref="Decode(Stream)"/> does, by the stream's asynchronous methods alone. The pixels
    /// are decoded on the thread pool.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <param name="cancellationToken">Stops while the stream is read, and before the pixels are decoded.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, longer than 256 MiB, of more than 64,000,000 px or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<DecodedPicture> DecodeAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using PictureInput input = await StreamIntake.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => DecodePixels(input, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a picture's pixels from memory, as <see cref="Decode(string)"/> does from a file.</summary>
    /// <param name="file">The bytes of the file; borrowed for the call. The format is told from the first ones.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">
    /// The bytes are damaged, more than 256 MiB, of more than 64,000,000 px or not a picture, or their format needs a codec.
    /// </exception>
    public static DecodedPicture Decode(ReadOnlyMemory<byte> file)
    {
        using var input = PictureInput.OfMemory(file);
        return DecodePixels(input, CancellationToken.None);
    }

    private static ArrayPoolBufferWriter<byte> ToPooled(
        string name, Picture picture, PictureFormat format, PictureEncodingOptions? options)
    {
        ArgumentNullException.ThrowIfNull(picture);
        options ??= Defaults;
        RecordedEncoding encoding = PictureEncodingOptions.EncodingOf(format, options.Quality);
        MetadataTexts texts = MetadataTexts.Of(options.Metadata, picture, encoding);
        return PictureEncoder.Encode(name, picture.Pixels, picture.Width, picture.Height, encoding, texts);
    }

    private static PictureFileContent ReadMetadata(PictureInput input) => Guard(input.Name, () => PictureDecoder.ReadMetadata(input));

    private static DecodedPicture DecodePixels(PictureInput input, CancellationToken cancellationToken) =>
        Guard(input.Name, () => PictureDecoder.Decode(input, cancellationToken));
}
