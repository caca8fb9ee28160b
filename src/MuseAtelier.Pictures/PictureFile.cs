using System.Globalization;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>
/// Encodes and decodes pictures: to and from files, streams and memory. The same picture with the same options gives the same bytes
/// everywhere. Safe for concurrent use, also on the same file.
/// </summary>
public static partial class PictureFile
{
    private const int MostFreeNames = 10_000;

    private static readonly PictureFileOptions Defaults = new();

    /// <summary>
    /// Checks that a picture can be written, before it is painted: the encoder works, and the folder, the name and a file that would be
    /// replaced are writable. Leaves no file behind.
    /// </summary>
    /// <param name="path">Path of the future file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <exception cref="PictureFileException">The picture cannot be written.</exception>
    public static void RequireWritable(string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        PictureEncoder.Prepare(path, PictureFormats.Of(path));
        PictureTarget.Probe(path, (options ?? Defaults).Overwrite);
    }

    /// <summary>
    /// Writes a picture in the format of the path's extension. The file is written under a temporary name, flushed to the disk and renamed,
    /// so that no partial file is ever visible. After a failure, no file is left behind.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <returns>The written file.</returns>
    /// <exception cref="PictureFileException">The picture cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public static WrittenPicture Write(Picture picture, string path, PictureFileOptions? options = null) =>
        Write(picture, path, options, CancellationToken.None);

    /// <summary>Writes a picture as <see cref="Write(Picture, string, PictureFileOptions?)"/> does, on the thread pool.</summary>
    /// <param name="picture">The picture. It must not be disposed before the task has ended.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Stops until the picture is encoded. Then the file is written whole.</param>
    /// <returns>The written file.</returns>
    /// <exception cref="PictureFileException">The picture cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was written.</exception>
    public static Task<WrittenPicture> WriteAsync(
        Picture picture, string path, PictureFileOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => Write(picture, path, options, cancellationToken), cancellationToken);

    /// <summary>
    /// Writes an image as <see cref="Write(Picture, string, PictureFileOptions?)"/> writes a picture, but without a record: nothing painted
    /// it, so it cannot be painted again. Its opacity is not written.
    /// </summary>
    /// <param name="image">The image, with pixels.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="parameters">
    /// AUTOMATIC1111's text for the file, such as that of the picture that the image was made from; null for none. Left out where the
    /// options leave out such texts.
    /// </param>
    /// <returns>The written file.</returns>
    /// <exception cref="ArgumentException">The image is a reference without pixels.</exception>
    /// <exception cref="PictureFileException">The image cannot be written.</exception>
    public static WrittenPicture WriteImage(
        SourceImage image, string path, PictureFileOptions? options = null, string? parameters = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(path);
        if (!image.HasPixels) throw new ArgumentException("The image is a reference without pixels.", nameof(image));
        PictureFileOptions chosen = options ?? Defaults;
        var texts = MetadataTexts.Of(chosen.Metadata, parameters);
        return Write(path, chosen, Encode, CancellationToken.None);

        ArrayPoolBufferWriter<byte> Encode()
        {
            RecordedEncoding encoding = PictureEncodingOptions.EncodingOf(PictureFormats.Of(path), chosen.Quality);
            return PictureEncoder.Encode(path, image.Pixels, image.Width, image.Height, encoding, texts);
        }
    }

    /// <summary>Whether a file begins like one of the known formats; false for a missing file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureUnreadableException">The system refuses to read it.</exception>
    public static bool IsPicture(string path)
    {
        if (!File.Exists(path)) return false;
        using PictureInput? input = Guard(path, () => PictureInput.TryOpen(path));
        return input is not null;
    }

    /// <summary>Reads the metadata of a picture's file without decoding its pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureFileException">The file is missing, damaged or not a picture, or its format needs a codec.</exception>
    public static PictureFileContent Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Guard(path, () =>
        {
            using var input = PictureInput.OfFile(path);
            return PictureDecoder.ReadMetadata(input);
        });
    }

    /// <summary>Reads the metadata of a picture's file as <see cref="Read(string)"/> does, on the thread pool.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="cancellationToken">Stops before the file is read.</param>
    /// <exception cref="PictureFileException">The file is missing, damaged or not a picture, or its format needs a codec.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<PictureFileContent> ReadAsync(string path, CancellationToken cancellationToken = default) =>
        Task.Run(() => Read(path), cancellationToken);

    /// <summary>
    /// Reads a picture's pixels as they are stored: no colour profile and no orientation is applied
    /// (<see cref="PictureFileContent.Notices"/> name both), and transparent pixels are blended with black.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">
    /// The file is missing, damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    public static DecodedPicture Decode(string path) => Decode(path, CancellationToken.None);

    /// <summary>Reads a picture's pixels as <see cref="Decode(string)"/> does, on the thread pool.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <returns>The pixels; the caller disposes them.</returns>
    /// <exception cref="PictureFileException">
    /// The file is missing, damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<DecodedPicture> DecodeAsync(string path, CancellationToken cancellationToken = default) =>
        Task.Run(() => Decode(path, cancellationToken), cancellationToken);

    private static WrittenPicture Write(
        Picture picture, string path, PictureFileOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(path);
        options ??= Defaults;
        PictureFormat format = PictureFormats.Of(path);
        return Write(path, options, () => ToPooled(path, picture, format, options), cancellationToken);
    }

    private static WrittenPicture Write(
        string path, PictureFileOptions options, Func<ArrayPoolBufferWriter<byte>> encode, CancellationToken cancellationToken)
    {
        _ = PictureEncodingOptions.EncodingOf(PictureFormats.Of(path), options.Quality);
        // Encoding takes time, so everything that can be refused is refused before.
        if (!options.UnderFreeName) PictureTarget.Probe(path, options.Overwrite);
        using ArrayPoolBufferWriter<byte> file = encode();
        cancellationToken.ThrowIfCancellationRequested();
        return Place(path, file.WrittenSpan, options);
    }

    /// <summary>Writes the bytes of a file as the options say.</summary>
    /// <exception cref="PictureFileException">The file cannot be written.</exception>
    internal static WrittenPicture Place(string path, ReadOnlySpan<byte> content, PictureFileOptions options)
    {
        try
        {
            Place(path, content, options.Overwrite);
            return new WrittenPicture(path, []);
        }
        catch (PictureFileException exception) when (options.UnderFreeName
            && exception is PictureExistsException or PictureTargetException or PictureNotWrittenException { NoSpace: false })
        {
            return PlaceBeside(path, content, exception);
        }
    }

    private static DecodedPicture Decode(string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Guard(path, () =>
        {
            using var input = PictureInput.OfFile(path);
            return PictureDecoder.Decode(input, cancellationToken);
        });
    }

    private static void Place(string path, ReadOnlySpan<byte> content, bool overwrite)
    {
        PictureTarget target = PictureTarget.Probe(path, overwrite);
        try
        {
            AtomicFile.Write(target.File, content, overwrite, target.Mode);
        }
        catch (IOException) when (!overwrite && File.Exists(target.File))
        {
            // Another program created the file since it was checked.
            throw new PictureExistsException(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw target.Mode is null && !File.Exists(target.File) ? new PictureNotWrittenException(path, exception)
                : PictureNotWrittenException.OfTarget(path, exception);
        }
    }

    private static WrittenPicture PlaceBeside(string path, ReadOnlySpan<byte> content, PictureFileException reason)
    {
        string folder = Path.GetDirectoryName(path) ?? "";
        string stem = Path.GetFileNameWithoutExtension(path);
        string extension = Path.GetExtension(path);
        for (int number = 2; number < MostFreeNames; number++)
        {
            string free = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}{extension}"));
            try
            {
                Place(free, content, overwrite: false);
                return new WrittenPicture(free, [$"{reason.Found}: the picture was written to {free} instead"]);
            }
            catch (PictureExistsException)
            {
            }
            catch (PictureFileException)
            {
                // The user has to fix the first failure, so that one is thrown below.
                break;
            }
        }

        throw reason;
    }

    /// <summary>Runs a reader, and gives the exceptions of the file system the type and the words of a picture's.</summary>
    internal static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (EndOfStreamException exception)
        {
            throw new PictureDamagedException(path, "it ends too early", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureUnreadableException(path, exception);
        }
    }
}
