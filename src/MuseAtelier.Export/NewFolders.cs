namespace MuseAtelier.Export;

/// <summary>The folders above a path that do not exist yet: whichever of them are there and empty at the end are removed again.</summary>
/// <param name="path">The path.</param>
internal sealed class NewFolders(string path) : IDisposable
{
    // From the inside out.
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
            // Another process has put something there meanwhile, or has removed it: both are fine.
        }
    }

    private static IEnumerable<string> Missing(string path)
    {
        for (string? folder = Path.GetDirectoryName(path); folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)) yield return folder;
    }
}
