using MuseAtelier.Pictures.Containers;
using NetVips;

namespace MuseAtelier.Pictures;

/// <summary>How a picture is written.</summary>
public sealed record PictureFileOptions
{
    /// <summary>Whether a file of that name may be replaced.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>Pictures as files.</summary>
public static class PictureFile
{
    private const int Channels = 3;

    /// <summary>Makes sure that a picture can be written, before work is spent on it: format, folder, permission, name.</summary>
    /// <param name="path">Path of the file to be.</param>
    /// <param name="options">How it will be written.</param>
    /// <exception cref="PictureFileException">It cannot.</exception>
    public static void RequireWritable(string path, PictureFileOptions? options = null)
    {
        PictureFormats.Of(path);
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full) ?? full;
        if (!Directory.Exists(folder)) throw new PictureFolderMissingException(path, folder);
        if (Directory.Exists(full) || (File.Exists(full) && options is not { Overwrite: true })) throw new PictureExistsException(path);
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
        RequireWritable(path, options);
        byte[] content = Encode(picture, PictureFormats.Of(path));
        string full = Path.GetFullPath(path), partial = Partial(full);
        try
        {
            File.WriteAllBytes(partial, content);
            File.Move(partial, full, options is { Overwrite: true });
        }
        catch (IOException) when (options is not { Overwrite: true } && File.Exists(full))
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

    /// <summary>A picture as the bytes of a file.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="format">The file's format.</param>
    public static byte[] Encode(Picture picture, PictureFormat format)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using Image raw = Image.NewFromMemory(picture.Pixels, picture.Width, picture.Height, Channels, Enums.BandFormat.Uchar);
        using Image image = raw.Copy(interpretation: Enums.Interpretation.Srgb);
        return format switch
        {
            PictureFormat.Png => PngFile.Embed(image.PngsaveBuffer(keep: Enums.ForeignKeep.None), [PngChunk.Text(ParametersText.Keyword, ParametersText.Write(picture.Request, picture.Model))]),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };
    }

    /// <summary>Whether a file begins as one of the formats that are read here does; false for a file that is not there.</summary>
    /// <param name="path">Path of the file.</param>
    public static bool IsPicture(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            using FileStream stream = File.OpenRead(path);
            return PictureFormats.Detect(stream) is not null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureUnreadableException(path, exception);
        }
    }

    /// <summary>Reads what a picture's file says of itself, without its pixels.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="PictureFileException">There is no such file, or it is no sound picture.</exception>
    public static PictureFileContent Read(string path)
    {
        if (!File.Exists(path)) throw new PictureNotFoundException(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return PictureFormats.Detect(stream) switch
            {
                PictureFormat.Png => PngFile.Read(path, stream),
                _ => throw new NotAPictureException(path),
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureUnreadableException(path, exception);
        }
    }

    private static string Partial(string path) => $"{path}.{Environment.ProcessId}.partial";
}
