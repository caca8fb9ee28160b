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
        System.IO.Path.GetExtension(path) is { Length: > 0 } extension ? $"{path} has the extension {extension}" : $"{path} has no extension",
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
    : PictureFileException(path, $"{path} exists already", "a name that is free", "Choose another name, or allow that it is replaced (muse: --force).");

/// <summary>The system refused to write a picture; nothing half-written is left.</summary>
public sealed class PictureNotWrittenException(string path, Exception inner)
    : PictureFileException(
        path,
        IsDiskFull(inner) ? $"no space is left for {path}" : $"{path} cannot be written ({inner.Message.TrimEnd('.')})",
        "a folder that may be written to, on a disk with room",
        "Free some space or choose another folder; nothing half-written was left behind.",
        inner)
{
    /// <summary>Whether the disk is full.</summary>
    public bool NoSpace { get; } = IsDiskFull(inner);

    // ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows, ENOSPC and EDQUOT of Linux.
    private static bool IsDiskFull(Exception exception) => exception.HResult is unchecked((int)0x80070070) or unchecked((int)0x80070027) or 28 or 122;
}

/// <summary>There is no such file.</summary>
public sealed class PictureNotFoundException(string path)
    : PictureFileException(path, $"there is no file {path}", "the path of a picture", "Check the spelling; relative paths start at the working folder.");

/// <summary>The system refused to read the file.</summary>
public sealed class PictureUnreadableException(string path, Exception inner)
    : PictureFileException(path, $"{path} cannot be read ({inner.Message.TrimEnd('.')})", "a readable file", "Check its permissions and the disk.", inner);

/// <summary>The file is in none of the formats that are read here.</summary>
public sealed class NotAPictureException(string path)
    : PictureFileException(path, $"{path} is no picture that is read here", $"a picture: {PictureFormats.Known}", "Convert it with another program, or give the original file.");

/// <summary>The file begins as a picture does, but its parts are not in order.</summary>
public sealed class PictureDamagedException(string path, string found, Exception? inner = null)
    : PictureFileException(path, $"{path} is damaged: {found}", "a sound picture", "Take another copy of the file.", inner);
