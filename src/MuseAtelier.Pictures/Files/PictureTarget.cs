namespace MuseAtelier.Pictures.Files;

/// <summary>The location for a picture's file, with symbolic links resolved. It is checked before the picture is painted.</summary>
/// <param name="Path">The path as it was given.</param>
/// <param name="File">Full path of the file itself, behind any symbolic links.</param>
/// <param name="Folder">The file's folder.</param>
/// <param name="Mode">On Unix, the permissions of the file that will be replaced; null if there is none.</param>
internal sealed record PictureTarget(string Path, string File, string Folder, UnixFileMode? Mode)
{
    // Linux follows as many.
    private const int MostLinks = 40;

    /// <summary>Checks a location.</summary>
    /// <param name="path">The path as it was given.</param>
    /// <param name="overwrite">Whether an existing file may be replaced.</param>
    /// <exception cref="PictureFileException">No picture can be written there.</exception>
    public static PictureTarget Probe(string path, bool overwrite)
    {
        if (OperatingSystem.IsWindows() && WindowsNames.Refusal(path) is { } reason) throw new PictureNameException(path, reason);
        string full = FullPath(path);
        if (!overwrite && IsTaken(full)) throw new PictureExistsException(path);
        string file = Guard(path, () => Resolve(full, path));
        string folder = System.IO.Path.GetDirectoryName(file) ?? file;
        if (!Directory.Exists(folder)) throw new PictureFolderMissingException(path, folder);
        if (Directory.Exists(file)) throw new PictureTargetException(path, "a folder");
        UnixFileMode? mode = Guard(path, () => Attributes(file)) is null ? null : ProbeExisting(path, file, folder);
        Guard(path, () => AtomicFile.Probe(folder));
        return new PictureTarget(path, file, folder, mode);
    }

    /// <summary>Whether the name is in use: by a file, a folder, or a broken link.</summary>
    private static bool IsTaken(string full) =>
        System.IO.File.Exists(full) || Directory.Exists(full) || new FileInfo(full).LinkTarget is not null;

    // A read-only file is not replaced, although Unix would allow the folder's owner to do that.
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
            {
                string found = $"'{file}' belongs to another user";
                throw new UnauthorizedAccessException($"{found}, and its folder allows only that user to replace it.");
            }

            return System.IO.File.GetUnixFileMode(file);
        }
        catch (FileNotFoundException)
        {
            // The file was deleted since it was found.
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
            throw new PictureNameException(path, path.Length == 0 ? "it is empty" : "it contains a NUL");
        }
        catch (IOException exception)
        {
            // The working folder was deleted.
            throw new PictureNotWrittenException(path, new IOException("the working folder is gone", exception));
        }
    }

    // Null if the name is unused. File.Exists would return false for a name that is too long, while this throws.
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

    // Links are resolved one by one, because ".." after a linked folder means the parent of the link's target.
    private static string Resolve(string full, string path)
    {
        string file = full;
        for (int links = 0; new FileInfo(file).LinkTarget is { } target; links++)
        {
            if (links == MostLinks) throw new PictureNameException(path, "its symbolic links form a cycle");
            string folder = RealFolder(System.IO.Path.GetDirectoryName(file)!);
            file = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, RealFolders(folder, target)));
        }

        return file;
    }

    // The target of a link with the links in its folders resolved.
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
        // A missing folder is reported later, by its own name.
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
