using System.Collections.Frozen;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;

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

    private static readonly FrozenSet<string> Extensions =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, ".safetensors", ".pt", ".bin");

    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = FileAttributes.System,
        IgnoreInaccessible = true,
        RecurseSubdirectories = true,
        MaxRecursionDepth = DeepestFolder,
        MatchType = MatchType.Simple,
    };

    private static readonly ConditionalWeakTable<IReadOnlyList<string>, EmbeddingFolder> Shared = [];

    private readonly Lock _lock = new();
    private readonly string[] _folders;
    private EmbeddingCatalog? _catalog;

    /// <summary>Prepares to scan folders.</summary>
    /// <param name="folders">Their paths. Where two hold embeddings of one name, the last one's is used.</param>
    /// <exception cref="EmbeddingFolderException">A folder is missing.</exception>
    public EmbeddingFolder(IReadOnlyList<string> folders)
    {
        _folders = [.. folders];
        foreach (string folder in _folders)
            if (!Directory.Exists(folder)) throw new EmbeddingFolderException(folder);
    }

    /// <summary>No folders.</summary>
    public static EmbeddingFolder None { get; } = new([]);

    /// <summary>
    /// The folders of an option. Equal for the same list, so that a request that is checked before it is painted reads no header twice.
    /// </summary>
    /// <param name="folders">The list of paths, which must not change.</param>
    /// <exception cref="EmbeddingFolderException">A folder is missing.</exception>
    public static EmbeddingFolder Of(IReadOnlyList<string> folders) =>
        folders.Count == 0 ? None : Shared.GetValue(folders, static paths => new EmbeddingFolder(paths));

    /// <summary>Whether there are no folders, so that prompts name no embeddings.</summary>
    public bool IsNone => _folders.Length == 0;

    /// <summary>What the folders hold now. The same object as before if nothing has changed.</summary>
    /// <exception cref="EmbeddingFolderException">A folder is gone or cannot be read.</exception>
    public EmbeddingCatalog Scan()
    {
        if (IsNone) return EmbeddingCatalog.Empty;
        lock (_lock)
        {
            IReadOnlyList<EmbeddingEntry> before = _catalog?.Entries ?? [];
            Dictionary<string, EmbeddingEntry> known = before.ToDictionary(entry => entry.Path, StringComparer.Ordinal);
            List<EmbeddingEntry> entries = [];
            HashSet<string> paths = new(StringComparer.Ordinal);
            bool isComplete = true;
            foreach (string folder in _folders)
            {
                string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
                foreach (FoundFile file in FilesOf(folder, ref isComplete))
                {
                    // One folder may lie within another one.
                    if (!paths.Add(file.Path)) continue;
                    isComplete &= entries.Count < MostFiles;
                    if (entries.Count == MostFiles) break;
                    bool isSame = known.TryGetValue(file.Path, out EmbeddingEntry? entry)
                        && (entry.Bytes, entry.Modified) == (file.Bytes, file.Modified);
                    entries.Add(isSame ? entry! : new EmbeddingEntry(file.Path, name, file.Place, file.Bytes, file.Modified));
                }
            }

            bool isChanged = _catalog is null || _catalog.IsComplete != isComplete || !entries.SequenceEqual(before);
            if (isChanged) _catalog = new EmbeddingCatalog(entries, isComplete);
            return _catalog!;
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

        // Of files that differ in their extension alone, .safetensors is the last one, and so the one that ComfyUI prefers.
        files.Sort(static (one, other) => Compare(one.Path, other.Path));
        return files;

        FoundFile? Read(ref FileSystemEntry entry)
        {
            if (entry.IsDirectory) return null;
            if (!Extensions.Contains(Path.GetExtension(entry.FileName).ToString())) return null;
            string path = entry.ToFullPath();
            string place = Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
            return Target(path) is { } file ? new FoundFile(path, place, file.Length, file.LastWriteTimeUtc) : null;
        }

        // The order of LoRAs.
        static int Compare(string one, string other)
        {
            int folders = NaturalOrder.Instance.Compare(Path.GetDirectoryName(one), Path.GetDirectoryName(other));
            return folders != 0 ? folders : NaturalOrder.Instance.Compare(one, other);
        }
    }

    // A link has the size and the time of the file that it leads to. A link to nothing or to itself is no file.
    private static FileInfo? Target(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target) file = target;
            return file.Exists ? file : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file of a folder.</summary>
    /// <param name="Path">Its path.</param>
    /// <param name="Place">Its path within the folder, with slashes.</param>
    /// <param name="Bytes">Its size in bytes.</param>
    /// <param name="Modified">The time of its last change.</param>
    private sealed record FoundFile(string Path, string Place, long Bytes, DateTime Modified);
}
