using System.Collections.Frozen;
using MuseAtelier.Export.Storage;
using static System.FormattableString;

namespace MuseAtelier.Adapters;

/// <summary>
/// The files of folders of LoRAs and of their subfolders, found at one time, in AUTOMATIC1111's order: subfolders by their paths, then files
/// by their names, numbers by their value (modules/shared.py, walk_files and natural_sort_key).
/// </summary>
internal sealed class LoraScan
{
    private const int MostFiles = 50_000;
    private const int MostFolders = 10_000;
    private const int DeepestFolder = 32;
    private const int MostNotices = 20;

    // Those of AUTOMATIC1111 and Forge.
    private static readonly FrozenSet<string> Extensions =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, ".safetensors", ".sft", ".pt", ".ckpt");

    private readonly List<LoraEntry> _entries = [];
    private readonly List<string> _notices = [];
    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, LoraEntry> _known;
    private readonly ILookup<string, LoraEntry> _byName;
    private bool _isFull;

    private LoraScan(IReadOnlyList<string> folders, LoraScan? before)
    {
        _known = before?._entries.ToDictionary(entry => entry.Path, StringComparer.Ordinal) ?? [];
        foreach (string folder in folders) Walk(folder);
        _byName = _entries.ToLookup(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The files in AUTOMATIC1111's order.</summary>
    public IReadOnlyList<LoraEntry> Entries => _entries;

    /// <summary>Sentences about folders that could not be read, and about limits.</summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>Lists the files. Reads none of them.</summary>
    /// <param name="folders">The folders.</param>
    /// <param name="before">An earlier list, whose metadata is kept.</param>
    /// <exception cref="LoraFolderException">One of the folders does not exist or cannot be read.</exception>
    public static LoraScan Of(IReadOnlyList<string> folders, LoraScan? before) => new(folders, before);

    /// <summary>
    /// The files that a name means: those of that name without extension, else those of that path within a folder, else those of that alias,
    /// for which the headers are read.
    /// </summary>
    public IReadOnlyList<LoraEntry> Matches(string name)
    {
        LoraEntry[] named = [.. _byName[name]];
        if (named.Length > 0) return named;
        string place = name.Replace('\\', '/');
        if (place.Contains('/', StringComparison.Ordinal))
            return [.. _entries.Where(entry => Path.ChangeExtension(entry.Place, null) == place)];
        return [.. _entries.Where(entry => entry.Alias == name)];
    }

    private void Walk(string root)
    {
        if (!Directory.Exists(root)) throw new LoraFolderException(root);
        string full = Path.GetFullPath(root);
        List<(string Path, string[] Files)> folders = [];
        Queue<(string Path, int Depth)> waiting = new([(full, 0)]);
        while (waiting.TryDequeue(out (string Path, int Depth) next))
        {
            try
            {
                if (!_visited.Add(FinalPath.Of(next.Path))) continue;
                if (_visited.Count > MostFolders || next.Depth > DeepestFolder)
                {
                    SayLimit();
                    continue;
                }

                folders.Add((next.Path, Directory.GetFiles(next.Path)));
                foreach (string folder in Directory.GetDirectories(next.Path)) waiting.Enqueue((folder, next.Depth + 1));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (next.Depth == 0) throw new LoraFolderException(root, exception);
                string place = Path.GetRelativePath(full, next.Path).Replace('\\', '/');
                Say($"The subfolder {place} of a folder of LoRAs cannot be read ({exception.GetType().Name}); its files are not found.");
            }
        }

        foreach ((string path, string[] files) in folders.OrderBy(folder => folder.Path, NaturalOrder.Instance))
            foreach (string file in files.OrderBy(file => file, NaturalOrder.Instance)) Add(full, file);
    }

    private void Add(string root, string file)
    {
        if (!Extensions.Contains(Path.GetExtension(file))) return;
        if (_entries.Count == MostFiles)
        {
            SayLimit();
            return;
        }

        string place = Path.GetRelativePath(root, file).Replace('\\', '/');
        _entries.Add(_known.GetValueOrDefault(file) ?? new LoraEntry(file, place));
    }

    private void SayLimit()
    {
        if (_isFull) return;
        _isFull = true;
        Say(Invariant($"The folders of LoRAs have more than {MostFiles} files, {MostFolders} folders or {DeepestFolder} levels; ")
            + "the rest is not found.");
    }

    private void Say(string sentence)
    {
        if (_notices.Count < MostNotices) _notices.Add(sentence);
    }
}
