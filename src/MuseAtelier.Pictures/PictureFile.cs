using System.Globalization;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>The options for writing a picture.</summary>
public sealed record PictureFileOptions
{
    /// <summary>
    /// Whether an existing file may be replaced. A symbolic link stays, and its target is replaced; the permissions stay the same.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Whether the picture is written under a free name in the same folder if its own name has become unavailable since it was checked:
    /// another program created a file of that name or has it open. <see cref="WrittenPicture"/> has the new name. If false, an exception
    /// is thrown instead.
    /// </summary>
    public bool UnderFreeName { get; init; }

    /// <summary>The metadata that the file gets.</summary>
    public MetadataLevel Metadata { get; init; } = MetadataLevel.Full;

    /// <summary>
    /// Quality of JPEG, WebP and AVIF, 1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.
    /// </summary>
    public int? Quality { get; init; }
}

/// <summary>The file of a written picture.</summary>
/// <param name="Path">Path of the file: the requested one, unless a notice says otherwise.</param>
/// <param name="Notices">Notices for the user; empty if the picture was written as requested.</param>
public sealed record WrittenPicture(string Path, IReadOnlyList<string> Notices);

/// <summary>Reads and writes pictures as files. Safe for concurrent use, also on the same file.</summary>
public static class PictureFile
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
    public static WrittenPicture Write(Picture picture, string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(path);
        options ??= Defaults;
        if (options.Quality is { } quality)
            ArgumentOutOfRangeException.ThrowIfNotEqual(quality, Math.Clamp(quality, 1, 100), nameof(options));
        PictureFormat format = PictureFormats.Of(path);
        // Encoding takes time, so everything that can be refused is refused before.
        if (!options.UnderFreeName) PictureTarget.Probe(path, options.Overwrite);
        int? kept = format == PictureFormat.Png ? null : options.Quality ?? PictureFormats.DefaultQuality(format);
        var encoding = new RecordedEncoding(format, kept);
        byte[] content = PictureEncoder.Encode(path, picture.Pixels, picture.Width, picture.Height, encoding,
            MetadataTexts.Of(options.Metadata, picture, encoding));
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

    /// <summary>Whether a file begins like one of the known formats; false for a missing file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureUnreadableException">The system refuses to read it.</exception>
    public static bool IsPicture(string path) => File.Exists(path) && Detect(path) is not null;

    /// <summary>Reads the metadata of a picture's file without decoding its pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureFileException">The file is missing, damaged or not a picture, or its format needs a codec.</exception>
    public static PictureFileContent Read(string path)
    {
        PictureFormat format = Require(path);
        return Guard(path, () => PictureDecoder.ReadMetadata(path, format));
    }

    /// <summary>
    /// Reads a picture's pixels as they are stored: no colour profile and no orientation is applied
    /// (<see cref="PictureFileContent.Notices"/> name both), and transparent pixels are blended with black.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>Size in px, and [Height, Width, 3] interleaved RGB, 8 bits a channel, owned by the caller.</returns>
    /// <exception cref="PictureFileException">
    /// The file is missing, damaged, too large or not a picture, or its format needs a codec.
    /// </exception>
    public static (int Width, int Height, byte[] Pixels) ReadPixels(string path)
    {
        PictureFormat format = Require(path);
        return Guard(path, () => PictureDecoder.ReadPixels(path, format));
    }

    private static void Place(string path, byte[] content, bool overwrite)
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

    private static WrittenPicture PlaceBeside(string path, byte[] content, PictureFileException reason)
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

    private static PictureFormat Require(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path)) throw new PictureNotFoundException(path);
        return Detect(path) ?? throw new NotAPictureException(path);
    }

    private static PictureFormat? Detect(string path) => Guard(path, () =>
    {
        // A pipe or a device may block the reader forever.
        if (UnixFile.Describe(Path.GetFullPath(path))?.Kind is not null) return null;
        using FileStream stream = File.OpenRead(path);
        return PictureFormats.Detect(stream);
    });

    private static T Guard<T>(string path, Func<T> read)
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
