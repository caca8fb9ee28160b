namespace MuseAtelier.Adapters;

/// <summary>
/// The files of the folders of embeddings at one time. A later file replaces an earlier one of the same name, as in AUTOMATIC1111
/// (modules/textual_inversion/textual_inversion.py, register_embedding_by_name). Immutable.
/// </summary>
internal sealed class EmbeddingCatalog
{
    private readonly Dictionary<string, EmbeddingEntry> _usable = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="entries">The files, those of the first folder first, in AUTOMATIC1111's order.</param>
    /// <param name="isComplete">Whether all files of the folders are among them.</param>
    public EmbeddingCatalog(IReadOnlyList<EmbeddingEntry> entries, bool isComplete)
    {
        Entries = entries;
        IsComplete = isComplete;
        IEnumerable<EmbeddingEntry> last =
            entries.Where(entry => entry.IsUsable).Reverse().DistinctBy(entry => entry.Name, StringComparer.Ordinal).Reverse();
        // AUTOMATIC1111 keeps names that differ in case alone side by side, and finds the first of them in a prompt.
        foreach (EmbeddingEntry entry in last) _usable.TryAdd(entry.Name, entry);
    }

    /// <summary>The catalog of no folders.</summary>
    public static EmbeddingCatalog Empty { get; } = new([], isComplete: true);

    /// <summary>All files, usable or not.</summary>
    public IReadOnlyList<EmbeddingEntry> Entries { get; }

    /// <summary>Whether all files of the folders are among them; false if there are too many.</summary>
    public bool IsComplete { get; }

    /// <summary>The files that names mean: one usable file of each name, without regard to case.</summary>
    public IReadOnlyCollection<EmbeddingEntry> Usable => _usable.Values;

    /// <summary>The files that cannot be used, such as embeddings for SD 1.x.</summary>
    public IEnumerable<EmbeddingEntry> Skipped => Entries.Where(entry => !entry.IsUsable);

    /// <summary>The file that a name means; null if there is none that can be used.</summary>
    public EmbeddingEntry? Find(string name) => _usable.GetValueOrDefault(name);

    /// <summary>Usable files that a name does not mean, because another one has the same name.</summary>
    public IReadOnlyList<EmbeddingEntry> Hidden(string name) =>
        [.. Entries.Where(entry => entry.IsUsable && entry != Find(name) && entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase))];

    /// <summary>
    /// The file that ComfyUI's <c>embedding:name</c> means: a file's name or its path within a folder, with or without extension (ComfyUI,
    /// comfy/sd1_clip.py, load_embed). Of several files the last one is meant, as in AUTOMATIC1111's syntax. A name in another case is
    /// found if there is none in the same case. Files that cannot be used are found as well.
    /// </summary>
    public EmbeddingEntry? FindPath(string name)
    {
        string wanted = name.Replace('\\', '/');
        return Entries.LastOrDefault(entry => IsAt(entry, wanted, StringComparison.Ordinal))
            ?? Entries.LastOrDefault(entry => IsAt(entry, wanted, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsAt(EmbeddingEntry entry, string wanted, StringComparison comparison) =>
        EndsWith(entry.Place, wanted, comparison) || EndsWith(Path.ChangeExtension(entry.Place, null), wanted, comparison);

    private static bool EndsWith(string place, string wanted, StringComparison comparison) =>
        place.Equals(wanted, comparison)
        || (place.EndsWith(wanted, comparison) && place[place.Length - wanted.Length - 1] == '/');
}
