using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>How a picture is written.</summary>
public sealed record PictureFileOptions
{
    /// <summary>Whether a file of that name may be replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>What the file says of its making.</summary>
    public MetadataLevel Metadata { get; init; } = MetadataLevel.Full;

    /// <summary>Quality of JPEG, WebP and AVIF, 1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG keeps every pixel whatever it says.</summary>
    public int? Quality { get; init; }
}

/// <summary>Pictures as files.</summary>
public static class PictureFile
{
    private static readonly PictureFileOptions Defaults = new();

    /// <summary>Makes sure that a picture can be written, before work is spent on it: format, folder, permission, name.</summary>
    /// <param name="path">Path of the file to be.</param>
    /// <param name="options">How it will be written.</param>
    /// <exception cref="PictureFileException">It cannot.</exception>
    public static void RequireWritable(string path, PictureFileOptions? options = null)
    {
        PictureFormats.Of(path);
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full) ?? full;
        if (!Directory.Exists(folder)) throw new PictureFolderMissingException(path, folder);
        if (Directory.Exists(full) || (File.Exists(full) && !(options ?? Defaults).Overwrite)) throw new PictureExistsException(path);
        string probe = Partial(full);
        try
        {
            File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureNotWrittenException(path, exception);
        }
    }

    /// <summary>Writes a picture in the format that the extension names: beside its place first, so that no half of a file is ever seen there.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">How it is written.</param>
    /// <exception cref="PictureFileException">It cannot be written.</exception>
    public static void Write(Picture picture, string path, PictureFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(picture);
        options ??= Defaults;
        if (options.Quality is { } quality) ArgumentOutOfRangeException.ThrowIfNotEqual(quality, Math.Clamp(quality, 1, 100), nameof(options));
        RequireWritable(path, options);
        PictureFormat format = PictureFormats.Of(path);
        var encoding = new RecordedEncoding(format, format == PictureFormat.Png ? null : options.Quality ?? PictureFormats.DefaultQuality(format));
        byte[] content = PictureEncoder.Encode(path, picture.Pixels, picture.Width, picture.Height, encoding, MetadataTexts.Of(options.Metadata, picture, encoding));
        string full = Path.GetFullPath(path), partial = Partial(full);
        try
        {
            File.WriteAllBytes(partial, content);
            File.Move(partial, full, options.Overwrite);
        }
        catch (IOException) when (!options.Overwrite && File.Exists(full))
        {
            // Another program was faster.
            File.Delete(partial);
            throw new PictureExistsException(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(partial);
            throw new PictureNotWrittenException(path, exception);
        }
    }

    /// <summary>Whether a file begins as one of the formats that are read here does; false for a file that is not there.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureUnreadableException">The system refuses to read it.</exception>
    public static bool IsPicture(string path) => File.Exists(path) && Detect(path) is not null;

    /// <summary>Reads what a picture's file says of itself, without its pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureFileException">There is no such file, or it is no sound picture.</exception>
    public static PictureFileContent Read(string path)
    {
        if (!File.Exists(path)) throw new PictureNotFoundException(path);
        PictureFormat format = Detect(path) ?? throw new NotAPictureException(path);
        return Guard(path, () => format == PictureFormat.Png ? PngFile.Read(path) : PictureDecoder.ReadMetadata(path, format));
    }

    /// <summary>Reads a picture's pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>Size in px, and [Height, Width, 3] interleaved RGB, 8 bits a channel, owned by the caller.</returns>
    /// <exception cref="PictureFileException">There is no such file, or it is no sound picture.</exception>
    public static (int Width, int Height, byte[] Pixels) ReadPixels(string path)
    {
        if (!File.Exists(path)) throw new PictureNotFoundException(path);
        if (Detect(path) is null) throw new NotAPictureException(path);
        return Guard(path, () => PictureDecoder.ReadPixels(path));
    }

    private static PictureFormat? Detect(string path) => Guard(path, () =>
    {
        using FileStream stream = File.OpenRead(path);
        return PictureFormats.Detect(stream);
    });

    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureUnreadableException(path, exception);
        }
    }

    private static string Partial(string path) => $"{path}.{Environment.ProcessId}.partial";
}
