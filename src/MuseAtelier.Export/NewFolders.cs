namespace MuseAtelier.Export;

/// <summary>Remembers the folders above a path that do not exist yet. Disposing deletes those that exist by then and are empty.</summary>
/// <param name="path">The path.</param>
internal sealed class NewFolders(string path) : IDisposable
{
    // From the innermost to the outermost.
    private readonly string[] _missing = [.. Missing(Path.GetFullPath(path))];

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            foreach (string folder in _missing)
                if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another process has written into the folder or has deleted it. Neither is a failure.
        }
    }

    private static IEnumerable<string> Missing(string path)
    {
        string? folder = Path.GetDirectoryName(path);
        while (folder is not null && !Directory.Exists(folder))
        {
            yield return folder;
            folder = Path.GetDirectoryName(folder);
        }
    }
}
