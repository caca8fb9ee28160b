using MuseAtelier.Format;

namespace MuseAtelier.Adapters;

/// <summary>
/// Folders of LoRAs, with their subfolders, in which names are looked up. The folders are listed when a name is first looked up, and again
/// when one is not found, as AUTOMATIC1111 does (extensions-builtin/Lora/networks.py, load_networks). Thread-safe.
/// </summary>
/// <param name="paths">The folders; none means that no name is looked up.</param>
internal sealed class LoraFolder(IReadOnlyList<string> paths)
{
    private readonly Lock _lock = new();
    private LoraScan? _scan;

    /// <summary>The folders.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>The files that were found when the folders were last listed.</summary>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public LoraScan Current
    {
        get
        {
            lock (_lock) return _scan ??= LoraScan.Of(paths, null);
        }
    }

    /// <summary>Lists the folders again. The metadata of files that have not changed is kept.</summary>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public LoraScan Refresh()
    {
        lock (_lock) return _scan = LoraScan.Of(paths, _scan);
    }

    /// <summary>
    /// The file that a name means. Of several, the last one in AUTOMATIC1111's order is taken, which replaces the others there.
    /// </summary>
    /// <param name="name">The file's name without extension, its path within a folder, or its alias; case counts.</param>
    /// <param name="notices">Receives a sentence if several files have the name.</param>
    /// <exception cref="LoraNotFoundException">No file has the name.</exception>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public LoraEntry Find(string name, ICollection<string> notices)
    {
        IReadOnlyList<LoraEntry> matches = Matches(name);
        if (matches.Count == 0) throw NotFound(name);
        if (matches.Count > 1)
        {
            notices.Add($"{matches.Count} LoRAs are called '{name}': {string.Join(", ", matches.Select(match => match.Place))}. "
                + "The last one is taken, as in AUTOMATIC1111.");
        }

        return matches[^1];
    }

    /// <summary>The files that a name means, in AUTOMATIC1111's order; none if there is none even after the folders were listed again.</summary>
    /// <exception cref="LoraFolderException">A folder does not exist or cannot be read.</exception>
    public IReadOnlyList<LoraEntry> Matches(string name)
    {
        if (paths.Count == 0) return [];
        IReadOnlyList<LoraEntry> matches = Current.Matches(name);
        bool isThere = matches.Count > 0 && matches.All(match => File.Exists(match.Path));
        return isThere ? matches : Refresh().Matches(name);
    }

    /// <summary>The exception that names the nearest names.</summary>
    public LoraNotFoundException NotFound(string name)
    {
        IReadOnlyList<LoraEntry> entries = paths.Count == 0 ? [] : Current.Entries;
        IEnumerable<string> names = entries.SelectMany(entry => (string?[])[entry.Name, entry.Alias]).OfType<string>().Distinct();
        return new LoraNotFoundException(name, NearestNames.Of(name, names), entries.Count);
    }

    /// <summary>SHA-256 of a file, lower-case hex.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string DigestOf(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Sha256.Hash(file);
    }
}
