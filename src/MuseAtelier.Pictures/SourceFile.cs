using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Pictures;

/// <summary>
/// Reads pictures that others are painted from, and masks. Pixels are turned upright by EXIF's orientation and reduced to 8 bits a channel;
/// palettes and shades of grey become RGB, and opacity is kept. Files are untrusted: sizes are checked before pixels are decoded, up to
/// 64,000,000 px and 256 MiB. Safe for concurrent use.
/// </summary>
public static class SourceFile
{
    /// <summary>Reads a source from a file, on the thread pool.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">
    /// The file is missing, damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<SourceImage> LoadAsync(
        string path, SourceFileOptions? options = null, CancellationToken cancellationToken = default) =>
        FromFileAsync(path, options, SourceReader.Image, cancellationToken);

    /// <summary>
    /// Reads a source from a stream, from its position to its end. The stream stays open and need not seek. Its asynchronous methods alone
    /// are used, and its own exceptions pass through.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Stops while the stream is read, and before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<SourceImage> LoadAsync(
        Stream stream, SourceFileOptions? options = null, CancellationToken cancellationToken = default) =>
        FromStreamAsync(stream, options, SourceReader.Image, cancellationToken);

    /// <summary>
    /// Reads a mask from a file, on the thread pool. White is painted anew: the mask is the file's luminance. A file with transparent parts
    /// whose visible parts have one colour, such as strokes on an empty canvas, is a mask by its opacity: what is opaque is painted anew.
    /// In other files with transparent parts these count as black. Values near black and white are made so in formats that lose detail.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">
    /// The file is missing, damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<MaskImage> LoadMaskAsync(
        string path, SourceFileOptions? options = null, CancellationToken cancellationToken = default) =>
        FromFileAsync(path, options, SourceReader.Mask, cancellationToken);

    /// <summary>
    /// Reads a mask from a stream, as <see cref="LoadMaskAsync(string, SourceFileOptions?, CancellationToken)"/> does from a file. The
    /// stream is read from its position to its end, stays open and need not seek. Its own exceptions pass through.
    /// </summary>
    /// <param name="stream">The stream; the format is told from its first bytes.</param>
    /// <param name="options">The options; null means the defaults.</param>
    /// <param name="cancellationToken">Stops while the stream is read, and before the pixels are decoded.</param>
    /// <exception cref="PictureFileException">
    /// The stream is damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<MaskImage> LoadMaskAsync(
        Stream stream, SourceFileOptions? options = null, CancellationToken cancellationToken = default) =>
        FromStreamAsync(stream, options, SourceReader.Mask, cancellationToken);

    private static Task<T> FromFileAsync<T>(
        string path,
        SourceFileOptions? options,
        Func<PictureInput, string?, CancellationToken, T> read,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        string name = options?.Name ?? Path.GetFileName(path);
        return Task.Run(
            () => PictureFile.Guard(path, () =>
            {
                using var input = PictureInput.OfFile(path);
                return read(input, name, cancellationToken);
            }),
            cancellationToken);
    }

    private static async Task<T> FromStreamAsync<T>(
        Stream stream,
        SourceFileOptions? options,
        Func<PictureInput, string?, CancellationToken, T> read,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using PictureInput input = await StreamIntake.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        return await Task
            .Run(() => PictureFile.Guard(input.Name, () => read(input, options?.Name, cancellationToken)), cancellationToken)
            .ConfigureAwait(false);
    }
}
