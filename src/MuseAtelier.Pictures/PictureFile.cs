using System.Globalization;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Files;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>How a picture is written.</summary>
public sealed record PictureFileOptions
{
    /// <summary>
    /// Whether a file of that name may be replaced. A symbolic link stays, and the file that it leads to is replaced; permissions stay.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// What happens where the name cannot be had any more when the picture is to be written: another program made a file of that name
    /// meanwhile, or has it open. False: an exception says so. True: the picture is written beside it under a free name, and
    /// <see cref="WrittenPicture"/> says which.
    /// </summary>
    public bool UnderFreeName { get; init; }

    /// <summary>What the file says of its making.</summary>
    public MetadataLevel Metadata { get; init; } = MetadataLevel.Full;

    /// <summary>
    /// Quality of JPEG, WebP and AVIF, 1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG keeps every pixel whatever
    /// it says.
    /// </summary>
    public int? Quality { get; init; }
}

/// <summary>Where a picture went.</summary>
/// <param name="Path">Path of the file: the one asked for, unless a notice says otherwise.</param>
/// <param name="Notices">What the reader should know, in words; empty where all is as it was asked for.</param>
public sealed record WrittenPicture(string Path, IReadOnlyList<string> Notices);

/// <summary>Pictures as files. All members may be called from several threads at once, for the same file too.</summary>
public static class PictureFile
{
    private const int MostFreeNames = 10_000;

    private static readonly PictureFileOptions Defaults = new();

    /// <summary>
    /// Makes sure that a picture can be written, before work is spent on it: that there is an encoder and that it works, and that folder,
    /// name and the file to be replaced allow it. Leaves nothing behind.
    /// </summary>
    /// <param name="path">Path of the file to be.</param>
    /// <param name="options">How it will be written.</param>
    /// <exception cref="PictureFileException">It cannot.</exception>
    public static void RequireWritable(string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        PictureEncoder.Prepare(path, PictureFormats.Of(path));
        PictureTarget.Probe(path, (options ?? Defaults).Overwrite);
    }

    /// <summary>
    /// Writes a picture in the format that the extension names: beside its place first and flushed to the disk, so that no half of a file
    /// is ever seen there. Where it fails, nothing is left behind.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">How it is written.</param>
    /// <returns>Where it went.</returns>
    /// <exception cref="PictureFileException">It cannot be written.</exception>
    public static WrittenPicture Write(Picture picture, string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(path);
        options ??= Defaults;
        if (options.Quality is { } quality)
            ArgumentOutOfRangeException.ThrowIfNotEqual(quality, Math.Clamp(quality, 1, 100), nameof(options));
        PictureFormat format = PictureFormats.Of(path);
        // What can be refused is refused before the picture is encoded.
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

    /// <summary>Whether a file begins as one of the formats that are known here does; false for a file that is not there.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureUnreadableException">The system refuses to read it.</exception>
    public static bool IsPicture(string path) => File.Exists(path) && Detect(path) is not null;

    /// <summary>Reads what a picture's file says of itself, without its pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureFileException">There is no such file, it is no sound picture, or its format needs a codec.</exception>
    public static PictureFileContent Read(string path)
    {
        PictureFormat format = Require(path);
        return Guard(path, () => PictureDecoder.ReadMetadata(path, format));
    }

    /// <summary>
    /// Reads a picture's pixels as they are stored: no colour profile and no orientation is applied (<see
    /// cref="PictureFileContent.Notices"/>
    /// name both), and transparent pixels lie on black.
    /// </summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>Size in px, and [Height, Width, 3] interleaved RGB, 8 bits a channel, owned by the caller.</returns>
    /// <exception cref="PictureFileException">There is no such file, it is no sound picture, it is too large, or its format needs a
    /// codec.</exception>
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
            // Another program was faster.
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
        string folder = Path.GetDirectoryName(path) ?? "", stem = Path.GetFileNameWithoutExtension(path);
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
                // The first failure is what the user has to mend.
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
        // Nobody may have to wait for what a pipe never brings.
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
