using System.IO.Enumeration;

namespace MuseAtelier.Adapters;

/// <summary>
/// The folders in which prompts find embeddings by name, with their subfolders. Each scan sees files that were added, replaced or removed,
/// and reads the headers of those alone. Thread-safe.
/// </summary>
internal sealed class EmbeddingFolder
{
    /// <summary>The most files of all folders. The others are not read, and the catalog says so.</summary>
    public const int MostFiles = 10_000;

    // A link may lead to a folder that contains it, so the depth must have an end.
    private const int DeepestFolder = 8;
    private const int MostEntries = 200_000;

    // In ComfyUI's order (comfy/sd1_clip.py, load_embed).
    private static readonly string[] Extensions = [".safetensors", ".pt", ".bin"];

    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = FileAttributes.System,
        IgnoreInaccessible = true,
        RecurseSubdirectories = true,
        MaxRecursionDepth = DeepestFolder,
        MatchType = MatchType.Simple,
    };

    private readonly Lock _lock = new();
    private readonly string[] _folders;
    private EmbeddingCatalog _catalog = EmbeddingCatalog.Empty;

    /// <summary>Prepares to scan folders.</summary>
    /// <param name="folders">Their paths. Where two hold embeddings of one name, the first one's is used.</param>
    /// <exception cref="EmbeddingFolderException">A folder is missing.</exception>
    public EmbeddingFolder(IReadOnlyList<string> folders)
    {
        _folders = [.. folders];
        foreach (string folder in _folders)
            if (!Directory.Exists(folder)) throw new EmbeddingFolderException(folder);
    }

    /// <summary>No folders.</summary>
    public static EmbeddingFolder None { get; } = new([]);

    /// <summary>Whether there are no folders, so that prompts name no embeddings.</summary>
    public bool IsNone => _folders.Length == 0;

    /// <summary>What the folders hold now. The same object as before if nothing has changed.</summary>
    /// <exception cref="EmbeddingFolderException">A folder is gone or cannot be read.</exception>
    public EmbeddingCatalog Scan()
    {
        if (IsNone) return EmbeddingCatalog.Empty;
        lock (_lock)
        {
            Dictionary<string, EmbeddingEntry> known = _catalog.Entries.ToDictionary(entry => entry.Path, StringComparer.Ordinal);
            List<EmbeddingEntry> entries = [];
            HashSet<string> paths = new(StringComparer.Ordinal);
            bool isComplete = true;
            foreach (string folder in _folders)
            {
                foreach (FoundFile file in FilesOf(folder, ref isComplete))
                {
                    // One folder may lie within another one.
                    if (!paths.Add(file.Path)) continue;
                    isComplete &= entries.Count < MostFiles;
                    if (entries.Count == MostFiles) break;
                    bool isSame = known.TryGetValue(file.Path, out EmbeddingEntry? entry)
                        && (entry.Bytes, entry.Modified) == (file.Bytes, file.Modified);
                    entries.Add(isSame ? entry! : new EmbeddingEntry(file.Path, file.Place, file.Bytes, file.Modified));
                }
            }

            if (!entries.SequenceEqual(_catalog.Entries)) _catalog = new EmbeddingCatalog(entries, isComplete);
            return _catalog;
        }
    }

    private static List<FoundFile> FilesOf(string folder, ref bool isComplete)
    {
        string root = Path.GetFullPath(folder);
        List<FoundFile> files = [];
        int seen = 0;
        try
        {
            var found = new FileSystemEnumerable<FoundFile?>(root, Read, Everything);
            foreach (FoundFile? file in found)
            {
                if (file is not null) files.Add(file);
                isComplete &= ++seen < MostEntries;
                if (seen == MostEntries) break;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFolderException(folder, exception);
        }

        files.Sort(static (one, other) => string.CompareOrdinal(one.Order, other.Order));
        return files;

        FoundFile? Read(ref FileSystemEntry entry)
        {
            if (entry.IsDirectory) return null;
            int kind = Array.FindIndex(Extensions, IsExtension(Path.GetExtension(entry.FileName).ToString()));
            if (kind < 0) return null;
            string path = entry.ToFullPath();
            string place = Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
            string order = $"{Path.ChangeExtension(place, null)}\0{kind}";
            // A link has the size and the time of the file that it leads to.
            var file = new FileInfo(path);
            if (file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Exists: true } target) file = target;
            return file.Exists ? new FoundFile(path, place, order, file.Length, file.LastWriteTimeUtc) : null;
        }

        static Predicate<string> IsExtension(string extension) =>
            known => known.Equals(extension, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A file of a folder.</summary>
    /// <param name="Path">Its path.</param>
    /// <param name="Place">Its path within the folder, with slashes.</param>
    /// <param name="Order">The text by which files are ordered: the place without its extension, then the extension's kind.</param>
    /// <param name="Bytes">Its size in bytes.</param>
    /// <param name="Modified">The time of its last change.</param>
    private sealed record FoundFile(string Path, string Place, string Order, long Bytes, DateTime Modified);
}
