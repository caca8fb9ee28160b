namespace MuseAtelier.Pictures.Files;

/// <summary>The place that a picture's file is to have: links resolved, and looked at before any work is spent on it.</summary>
/// <param name="Path">The path as it was given.</param>
/// <param name="File">Full path of the file itself, behind any symbolic links.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Mode">The permissions of the file that is to be replaced, on Unix; null where there is none.</param>
internal sealed record PictureTarget(string Path, string File, string Folder, UnixFileMode? Mode)
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    /// <summary>Looks at a place.</summary>
    /// <param name="path">The path as it was given.</param>
    /// <param name="overwrite">Whether a file that is there may be replaced.</param>
    /// <exception cref="PictureFileException">No picture can be written there.</exception>
    public static PictureTarget Probe(string path, bool overwrite)
    {
        if (OperatingSystem.IsWindows() && WindowsNames.Refusal(path) is { } reason) throw new PictureNameException(path, reason);
        string full = FullPath(path);
        if (!overwrite && IsTaken(full)) throw new PictureExistsException(path);
        string file = Guard(path, () => Resolve(full, path)), folder = System.IO.Path.GetDirectoryName(file) ?? file;
        if (!Directory.Exists(folder)) throw new PictureFolderMissingException(path, folder);
        if (Directory.Exists(file)) throw new PictureTargetException(path, "a folder");
        UnixFileMode? mode = Guard(path, () => Attributes(file)) is null ? null : ProbeExisting(path, file, folder);
        Guard(path, () => AtomicFile.Probe(folder));
        return new PictureTarget(path, file, folder, mode);
    }

    /// <summary>Whether something has that name: a file, a folder, or a link that leads nowhere.</summary>
    private static bool IsTaken(string full) =>
        System.IO.File.Exists(full) || Directory.Exists(full) || new FileInfo(full).LinkTarget is not null;

    // A file that may not be written to is not replaced either, although Unix would let its folder's owner do that.
    private static UnixFileMode? ProbeExisting(string path, string file, string folder)
    {
        if (UnixFile.Describe(file)?.Kind is { } kind) throw new PictureTargetException(path, kind);
        try
        {
            using (new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
            {
            }

            if (OperatingSystem.IsWindows()) return null;
            if (UnixFile.IsKeptByOthers(file, folder))
                throw new UnauthorizedAccessException($"'{file}' is another user's, and its folder lets nobody else replace it.");
            return System.IO.File.GetUnixFileMode(file);
        }
        catch (FileNotFoundException)
        {
            // Gone meanwhile.
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PictureNotWrittenException.OfTarget(path, exception);
        }
    }

    private static string FullPath(string path)
    {
        try
        {
            return System.IO.Path.GetFullPath(path);
        }
        catch (ArgumentException)
        {
            throw new PictureNameException(path, path.Length == 0 ? "it is empty" : "it holds a NUL");
        }
        catch (IOException exception)
        {
            // The system does not know the working folder any more.
            throw new PictureNotWrittenException(path, new IOException("the working folder is gone", exception));
        }
    }

    // Null where nothing has that name. Asked for the attributes, the system refuses a name that is too long; asked whether it exists, it
    // says no.
    private static FileAttributes? Attributes(string file)
    {
        try
        {
            return System.IO.File.GetAttributes(file);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // Link by link, since ".." behind a linked folder means the folder that it leads to.
    private static string Resolve(string full, string path)
    {
        string file = full;
        for (int links = 0; new FileInfo(file).LinkTarget is { } target; links++)
        {
            if (links == MostLinks) throw new PictureNameException(path, "its symbolic links lead round in a circle");
            string folder = RealFolder(System.IO.Path.GetDirectoryName(file)!);
            file = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, RealFolders(folder, target)));
        }

        return file;
    }

    // A link's text with the folders on its way resolved.
    private static string RealFolders(string folder, string target)
    {
        if (System.IO.Path.GetDirectoryName(target) is not { Length: > 0 } way) return target;
        string at = System.IO.Path.IsPathRooted(target) ? System.IO.Path.GetPathRoot(target)! : folder;
        foreach (string part in way.Split(System.IO.Path.DirectorySeparatorChar, System.IO.Path.AltDirectorySeparatorChar))
        {
            if (part.Length == 0 || System.IO.Path.IsPathRooted(part)) continue;
            at = part == ".." ? System.IO.Path.GetDirectoryName(at) ?? at : RealFolder(System.IO.Path.Combine(at, part));
        }

        return System.IO.Path.Combine(at, System.IO.Path.GetFileName(target));
    }

    private static string RealFolder(string folder)
    {
        string real = folder;
        string? parent = System.IO.Path.GetDirectoryName(folder);
        if (parent is not null) real = System.IO.Path.Combine(RealFolder(parent), System.IO.Path.GetFileName(folder));
        // A folder that is missing is told later, by its name.
        return Directory.Exists(real) ? Directory.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real : real;
    }

    private static T Guard<T>(string path, Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureNotWrittenException(path, exception);
        }
    }

    private static void Guard(string path, Action look) => Guard(path, () =>
    {
        look();
        return true;
    });
}
