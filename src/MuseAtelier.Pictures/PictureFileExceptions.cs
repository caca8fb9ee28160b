namespace MuseAtelier.Pictures;

/// <summary>A picture's file cannot be written or read.</summary>
public abstract class PictureFileException : MuseAtelierException
{
    private protected PictureFileException(string path, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Path = path;

    /// <summary>
    /// The path of the file as it was given; "the stream", "the data" or "the picture" if the picture is not in a file.
    /// </summary>
    public string Path { get; }
}

/// <summary>The path's extension is not that of a known format.</summary>
public sealed class PictureFormatException : PictureFileException
{
    internal PictureFormatException(string path)
        : this(path, $"one of {PictureFormats.Known}", "Give the file one of these extensions.")
    {
    }

    private PictureFormatException(string path, string expected, string remedy)
        : base(
            path,
            System.IO.Path.GetExtension(path) is { Length: > 0 } extension ? $"{path} has the extension {extension}"
                : $"{path} has no extension",
            expected,
            remedy)
    {
    }

    internal static PictureFormatException OfSheet(string path) =>
        new(path, ".png, because a contact sheet is a PNG file", "Give the file this extension.");
}

/// <summary>The folder for a picture does not exist.</summary>
public sealed class PictureFolderMissingException : PictureFileException
{
    internal PictureFolderMissingException(string path, string folder)
        : base(path, $"there is no folder {folder}", "an existing folder", "Create the folder, or choose another one.") => Folder = folder;

    /// <summary>The missing folder.</summary>
    public string Folder { get; }
}

/// <summary>A file of that name exists.</summary>
public sealed class PictureExistsException : PictureFileException
{
    internal PictureExistsException(string path)
        : base(
            path, $"{path} exists already", "an unused name",
            $"Choose another name, or set {nameof(PictureFileOptions)}.{nameof(PictureFileOptions.Overwrite)} to replace the file.")
    {
    }
}

/// <summary>The system refused to write a picture. No partial file is left.</summary>
public sealed class PictureNotWrittenException : PictureFileException
{
    /// <summary>Creates the exception for a folder or a disk that refused.</summary>
    internal PictureNotWrittenException(string path, Exception inner)
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
public sealed class PictureTargetException : PictureFileException
{
    internal PictureTargetException(string path, string kind)
        : base(path, $"{path} is {kind}", "an unused name, or a regular file", "Choose another name.") => Kind = kind;

    /// <summary>The kind of file in words, such as "a pipe".</summary>
    public string Kind { get; }
}

/// <summary>The path is not a valid file name.</summary>
public sealed class PictureNameException : PictureFileException
{
    internal PictureNameException(string path, string reason)
        : base(
            path, $"'{path.Replace('\0', '?')}' is not a valid file name: {reason}", "a valid file name",
            "Choose another name.")
    {
    }
}

/// <summary>The format needs a codec, and none is registered.</summary>
public sealed class PictureCodecMissingException : PictureFileException
{
    internal PictureCodecMissingException(string path, PictureFormat format)
        : base(
            path,
            $"{path} is {format.ToString().ToUpperInvariant()}, and this program has no codec for that format",
            $"one of {PictureFormats.Known}, or the package MuseAtelier.Pictures.{format}",
            "Choose another format, or use a program that includes the package.") => Format = format;

    /// <summary>The format.</summary>
    public PictureFormat Format { get; }
}

/// <summary>The encoder of a format failed or could not start.</summary>
public sealed class PictureNotEncodedException : PictureFileException
{
    internal PictureNotEncodedException(string path, PictureFormat format, Exception inner)
        : base(
            path,
            $"the encoder of {format} failed for {path} ({inner.GetType().Name}: {inner.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
            "a working encoder and enough memory",
            "Free some memory, or choose another format.",
            inner) => Format = format;

    /// <summary>The format.</summary>
    public PictureFormat Format { get; }
}

/// <summary>The file does not exist, or the path is that of a folder.</summary>
public sealed class PictureNotFoundException : PictureFileException
{
    internal PictureNotFoundException(string path)
        : base(path, FoundAt(path), "the path of a picture", RemedyAt(path))
    {
    }

    private static string FoundAt(string path) => Directory.Exists(path) ? $"{path} is a folder" : $"there is no file {path}";

    private static string RemedyAt(string path) => Directory.Exists(path)
        ? "Name one of the pictures in it."
        : "Check the spelling; relative paths start at the working folder.";
}

/// <summary>The system refused to read the file.</summary>
public sealed class PictureUnreadableException : PictureFileException
{
    internal PictureUnreadableException(string path, Exception inner)
        : base(
            path, $"{path} cannot be read ({inner.Message.TrimEnd('.')})", "a readable file",
            "Check its permissions and the disk.", inner)
    {
    }
}

/// <summary>The file has none of the known formats.</summary>
public sealed class NotAPictureException : PictureFileException
{
    internal NotAPictureException(string path)
        : base(
            path, $"{path} is not a picture of a known format", $"a picture: {PictureFormats.Known}",
            "Convert it with another program, or give the original file.")
    {
    }
}

/// <summary>The file begins like a picture, but its content is invalid.</summary>
public sealed class PictureDamagedException : PictureFileException
{
    internal PictureDamagedException(string path, string found, Exception? inner = null)
        : base(path, $"{path} is damaged: {found}", "an intact picture", "Use another copy of the file.", inner)
    {
    }
}

/// <summary>The file has too many pixels or bytes to be read.</summary>
public sealed class PictureTooLargeException : PictureFileException
{
    internal PictureTooLargeException(string path, string found, Exception? inner = null)
        : base(path, $"{path} is too large: {found}", "a smaller picture", "Scale it down with another program.", inner)
    {
    }
}

/// <summary>The file is intact but uses a feature of its format that cannot be decoded.</summary>
public sealed class PictureUnsupportedException : PictureFileException
{
    internal PictureUnsupportedException(string path, string found, Exception? inner = null)
        : base(
            path, $"the pixels of {path} cannot be read: {found}",
            "a still picture with 8 bits a channel, or a PNG file", "Convert it with another program.", inner)
    {
    }
}
