namespace MuseAtelier.Pictures;

/// <summary>A picture's file cannot be written or read.</summary>
public abstract class PictureFileException(string path, string found, string expected, string remedy, Exception? inner = null)
    : MuseAtelierException(found, expected, remedy, inner)
{
    /// <summary>
    /// The path of the file as it was given; "the stream", "the data" or "the picture" if the picture is not in a file.
    /// </summary>
    public string Path { get; } = path;
}

/// <summary>The path's extension is not that of a known format.</summary>
public sealed class PictureFormatException(string path)
    : PictureFileException(
        path,
        System.IO.Path.GetExtension(path) is { Length: > 0 } extension ? $"{path} has the extension {extension}"
            : $"{path} has no extension",
        $"one of {PictureFormats.Known}",
        "Give the file one of these extensions.");

/// <summary>The folder for a picture does not exist.</summary>
public sealed class PictureFolderMissingException(string path, string folder)
    : PictureFileException(path, $"there is no folder {folder}", "an existing folder", "Create the folder, or choose another one.")
{
    /// <summary>The missing folder.</summary>
    public string Folder { get; } = folder;
}

/// <summary>A file of that name exists.</summary>
public sealed class PictureExistsException(string path)
    : PictureFileException(path, $"{path} exists already", "an unused name",
        "Choose another name, or allow replacing the file (muse: --force).");

/// <summary>The system refused to write a picture. No partial file is left.</summary>
public sealed class PictureNotWrittenException : PictureFileException
{
    /// <summary>Creates the exception for a folder or a disk that refused.</summary>
    /// <param name="path">The path of the file as it was given.</param>
    /// <param name="inner">The system's exception.</param>
    public PictureNotWrittenException(string path, Exception inner)
        : this(path, inner, "a writable folder on a disk with free space",
            "Free some space, or choose another folder. No partial file was left.")
    {
    }

    private PictureNotWrittenException(string path, Exception inner, string expected, string remedy)
        : base(path, IsDiskFull(inner) ? $"no space is left for {path}"
            : $"{path} cannot be written ({OneLine(inner)})", expected, remedy, inner) => NoSpace = IsDiskFull(inner);

    /// <summary>Whether the disk is full.</summary>
    public bool NoSpace { get; }

    /// <summary>Creates the exception for an existing file that cannot be replaced.</summary>
    internal static PictureNotWrittenException OfTarget(string path, Exception inner) => new(
        path,
        inner,
        "a file that may be replaced",
        "Close the program that has the file open, make it writable, or choose another name.");

    // Windows: ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL. Linux: ENOSPC and EDQUOT.
    private static bool IsDiskFull(Exception exception) =>
        exception.HResult is unchecked((int)0x80070070) or unchecked((int)0x80070027) or 28 or 122;

    private static string OneLine(Exception exception) => exception.Message.ReplaceLineEndings(" ").TrimEnd('.');
}

/// <summary>
/// The path is that of a folder, a device, a pipe or a socket. A picture replaces only regular files.
/// </summary>
public sealed class PictureTargetException(string path, string kind)
    : PictureFileException(path, $"{path} is {kind}", "an unused name, or a regular file", "Choose another name.")
{
    /// <summary>The kind of file in words, such as "a pipe".</summary>
    public string Kind { get; } = kind;
}

/// <summary>The path is not a valid file name.</summary>
public sealed class PictureNameException(string path, string reason)
    : PictureFileException(path, $"'{path.Replace('\0', '?')}' is not a valid file name: {reason}", "a valid file name",
        "Choose another name.");

/// <summary>The format needs a codec, and none is registered.</summary>
public sealed class PictureCodecMissingException(string path, PictureFormat format)
    : PictureFileException(
        path,
        $"{path} is {format.ToString().ToUpperInvariant()}, and this program has no codec for that format",
        $"one of {PictureFormats.Known}, or the package MuseAtelier.Pictures.{format}",
        "Choose another format, or use a program that includes the package.")
{
    /// <summary>The format.</summary>
    public PictureFormat Format { get; } = format;
}

/// <summary>The encoder of a format failed or could not start.</summary>
public sealed class PictureNotEncodedException(string path, PictureFormat format, Exception inner)
    : PictureFileException(
        path,
        $"the encoder of {format} failed for {path} ({inner.GetType().Name}: {inner.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
        "a working encoder and enough memory",
        "Free some memory, or choose another format.",
        inner)
{
    /// <summary>The format.</summary>
    public PictureFormat Format { get; } = format;
}

/// <summary>The file does not exist.</summary>
public sealed class PictureNotFoundException(string path)
    : PictureFileException(path, $"there is no file {path}", "the path of a picture",
        "Check the spelling; relative paths start at the working folder.");

/// <summary>The system refused to read the file.</summary>
public sealed class PictureUnreadableException(string path, Exception inner)
    : PictureFileException(path, $"{path} cannot be read ({inner.Message.TrimEnd('.')})", "a readable file",
        "Check its permissions and the disk.", inner);

/// <summary>The file has none of the known formats.</summary>
public sealed class NotAPictureException(string path)
    : PictureFileException(path, $"{path} is not a picture of a known format", $"a picture: {PictureFormats.Known}",
        "Convert it with another program, or give the original file.");

/// <summary>The file begins like a picture, but its content is invalid.</summary>
public sealed class PictureDamagedException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"{path} is damaged: {found}", "an intact picture", "Use another copy of the file.", inner);

/// <summary>The file has too many pixels or bytes to be read.</summary>
public sealed class PictureTooLargeException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"{path} is too large: {found}", "a smaller picture", "Scale it down with another program.", inner);

/// <summary>The file is intact but uses a feature of its format that cannot be decoded.</summary>
public sealed class PictureUnsupportedException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"the pixels of {path} cannot be read: {found}",
        "a still picture with 8 bits a channel, or a PNG file", "Convert it with another program.", inner);
