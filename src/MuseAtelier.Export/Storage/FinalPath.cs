namespace MuseAtelier.Export.Storage;

/// <summary>The path that a name leads to, with every symbolic link on the way resolved: of files and of folders.</summary>
internal static class FinalPath
{
    private const int MostLinks = 40;

    /// <summary>The full path behind all links. What does not exist is left as it stands.</summary>
    /// <exception cref="IOException">Links lead in a circle.</exception>
    public static string Of(string path)
    {
        int links = 0;
        return Resolve(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), ref links);
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
