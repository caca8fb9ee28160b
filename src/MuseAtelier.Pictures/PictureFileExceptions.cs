namespace MuseAtelier.Pictures;

/// <summary>A picture's file cannot be written or read as asked.</summary>
public abstract class PictureFileException(string path, string found, string expected, string remedy, Exception? inner = null)
    : MuseAtelierException(found, expected, remedy, inner)
{
    /// <summary>Path of the file as it was given.</summary>
    public string Path { get; } = path;
}

/// <summary>The path's extension names no format that is written here.</summary>
public sealed class PictureFormatException(string path)
    : PictureFileException(
        path,
        System.IO.Path.GetExtension(path) is { Length: > 0 } extension ? $"{path} has the extension {extension}"
            : $"{path} has no extension",
        $"one of {PictureFormats.Known}",
        "Give the file one of these extensions.");

/// <summary>The folder that a picture should go to does not exist.</summary>
public sealed class PictureFolderMissingException(string path, string folder)
    : PictureFileException(path, $"there is no folder {folder}", "an existing folder", "Create it first, or choose another.")
{
    /// <summary>The missing folder.</summary>
    public string Folder { get; } = folder;
}

/// <summary>There is a file of that name already.</summary>
public sealed class PictureExistsException(string path)
    : PictureFileException(path, $"{path} exists already", "a name that is free",
        "Choose another name, or allow that it is replaced (muse: --force).");

/// <summary>The system refused to write a picture; nothing half-written is left.</summary>
public sealed class PictureNotWrittenException : PictureFileException
{
    /// <summary>The folder or the disk refused.</summary>
    /// <param name="path">Path of the file as it was given.</param>
    /// <param name="inner">What the system said.</param>
    public PictureNotWrittenException(string path, Exception inner)
        : this(path, inner, "a folder that may be written to, on a disk with room",
            "Free some space or choose another folder; nothing half-written was left behind.")
    {
    }

    private PictureNotWrittenException(string path, Exception inner, string expected, string remedy)
        : base(path, IsDiskFull(inner) ? $"no space is left for {path}"
            : $"{path} cannot be written ({OneLine(inner)})", expected, remedy, inner) => NoSpace = IsDiskFull(inner);

    /// <summary>Whether the disk is full.</summary>
    public bool NoSpace { get; }

    /// <summary>The failure for a file that is there and may not be replaced.</summary>
    internal static PictureNotWrittenException OfTarget(string path, Exception inner) => new(
        path,
        inner,
        "a file that may be replaced",
        "Close the program that has it open, allow writing to it, or choose another name.");

    // ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows, ENOSPC and EDQUOT of Linux.
    private static bool IsDiskFull(Exception exception) =>
        exception.HResult is unchecked((int)0x80070070) or unchecked((int)0x80070027) or 28 or 122;

    private static string OneLine(Exception exception) => exception.Message.ReplaceLineEndings(" ").TrimEnd('.');
}

/// <summary>The path names what is no regular file: a folder, a device, a pipe, a socket. None of these is replaced by a picture.</summary>
public sealed class PictureTargetException(string path, string kind)
    : PictureFileException(path, $"{path} is {kind}", "a name that is free, or a regular file", "Choose another name.")
{
    /// <summary>What it is, in words, such as "a pipe".</summary>
    public string Kind { get; } = kind;
}

/// <summary>The system does not take the name for that of a file.</summary>
public sealed class PictureNameException(string path, string reason)
    : PictureFileException(path, $"'{path.Replace('\0', '?')}' is no name for a picture: {reason}", "the name of a file",
        "Choose another name.");

/// <summary>A format is asked for that needs a codec, and none is registered.</summary>
public sealed class PictureCodecMissingException(string path, PictureFormat format)
    : PictureFileException(
        path,
        $"{path} is {format.ToString().ToUpperInvariant()}, and this program carries no codec for that",
        $"one of {PictureFormats.Known}, or the package MuseAtelier.Pictures.{format}",
        "Choose another format, or use a program that has the package.")
{
    /// <summary>The format.</summary>
    public PictureFormat Format { get; } = format;
}

/// <summary>The encoder of a format failed or could not start.</summary>
public sealed class PictureNotEncodedException(string path, PictureFormat format, Exception inner)
    : PictureFileException(
        path,
        $"the encoder of {format} failed for {path} ({inner.GetType().Name}: {inner.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
        "an encoder that works, and memory for it",
        "Free some memory, or choose another format.",
        inner)
{
    /// <summary>The format.</summary>
    public PictureFormat Format { get; } = format;
}

/// <summary>There is no such file.</summary>
public sealed class PictureNotFoundException(string path)
    : PictureFileException(path, $"there is no file {path}", "the path of a picture",
        "Check the spelling; relative paths start at the working folder.");

/// <summary>The system refused to read the file.</summary>
public sealed class PictureUnreadableException(string path, Exception inner)
    : PictureFileException(path, $"{path} cannot be read ({inner.Message.TrimEnd('.')})", "a readable file",
        "Check its permissions and the disk.", inner);

/// <summary>The file is in none of the formats that are read here.</summary>
public sealed class NotAPictureException(string path)
    : PictureFileException(path, $"{path} is no picture that is read here", $"a picture: {PictureFormats.Known}",
        "Convert it with another program, or give the original file.");

/// <summary>The file begins as a picture does, but its parts are not in order.</summary>
public sealed class PictureDamagedException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"{path} is damaged: {found}", "a sound picture", "Take another copy of the file.", inner);

/// <summary>The file states more pixels, or has more bytes, than are read.</summary>
public sealed class PictureTooLargeException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"{path} is too large: {found}", "a smaller picture", "Scale it down with another program.", inner);

/// <summary>The file is sound, and in a form of its format that is not decoded here.</summary>
public sealed class PictureUnsupportedException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"the pixels of {path} are not read here: {found}",
        "a still picture with 8 bits a channel, or a PNG file", "Convert it with another program.", inner);
