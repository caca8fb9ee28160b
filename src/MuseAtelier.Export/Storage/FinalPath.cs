namespace MuseAtelier.Export.Storage;

/// <summary>Resolves all symbolic links of a path, to files and to folders.</summary>
internal static class FinalPath
{
    private const int MostLinks = 40;

    /// <summary>Returns the full path behind all links. Parts that do not exist stay unchanged.</summary>
    /// <exception cref="IOException">The links form a cycle.</exception>
    public static string Of(string path)
    {
        int links = 0;
        return Resolve(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), ref links);
    }

    /// <summary>
    /// The file behind all links of a path: its size and its time change with its content, and those of a link do not. A path whose links
    /// form a cycle leads to no file, and stays as it is.
    /// </summary>
    public static FileInfo FileOf(string path)
    {
        try
        {
            return new FileInfo(Of(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new FileInfo(path);
        }
    }

    private static string Resolve(string path, ref int links)
    {
        string? parent = Path.GetDirectoryName(path);
        if (parent is null) return path;
        string resolved = Path.Combine(Resolve(parent, ref links), Path.GetFileName(path));
        FileSystemInfo entry = Directory.Exists(resolved) ? new DirectoryInfo(resolved) : new FileInfo(resolved);
        if (entry.LinkTarget is not { Length: > 0 } target) return resolved;
        if (++links > MostLinks) throw new IOException($"{path} leads through more than {MostLinks} symbolic links");
        return Resolve(Path.TrimEndingDirectorySeparator(Path.GetFullPath(target, Path.GetDirectoryName(resolved)!)), ref links);
    }
}
