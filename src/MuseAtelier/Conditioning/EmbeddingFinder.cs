using MuseAtelier.Adapters;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Finds the embeddings that one text names, and collects what the user should know about their names. An instance is used once, by one
/// thread.
/// </summary>
/// <param name="catalog">The files that can be named.</param>
/// <param name="name">The prompt's name in notices and errors.</param>
internal sealed class EmbeddingFinder(EmbeddingCatalog catalog, string name)
{
    private readonly EmbeddingNames _names = EmbeddingNames.Of(catalog);
    private readonly List<string> _notices = [];

    /// <summary>Whether a text can name embeddings at all.</summary>
    public bool HasFolders => catalog != EmbeddingCatalog.Empty;

    /// <summary>The tokens of the longest name.</summary>
    public int LongestName => _names.LongestName;

    /// <summary>Sentences about names that mean several files, or a file that cannot be used.</summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>The embedding whose name begins with a token, for AUTOMATIC1111's syntax.</summary>
    /// <param name="ids">The tokens of a part of the prompt.</param>
    /// <param name="at">The index of the token.</param>
    /// <returns>The embedding and the number of tokens of its name; null and 0 if no name begins there.</returns>
    /// <exception cref="CheckpointException">The file that is named cannot be read. Each cause has its own type.</exception>
    public (Embedding? Found, int Length) Find(ReadOnlySpan<int> ids, int at)
    {
        (EmbeddingEntry? entry, int length) = _names.Find(ids, at);
        if (entry is not null) return (Load(entry), length);
        if (_names.FindSkipped(ids, at) is { } skipped) Note(SkippedNotice(skipped));
        return (null, 0);
    }

    /// <summary>The embedding of a name or a path, for ComfyUI's syntax; null if there is none.</summary>
    /// <exception cref="CheckpointException">The file that is named cannot be used. Each cause has its own type.</exception>
    public Embedding? FindPath(string path) => catalog.FindPath(path) is { } entry ? Load(entry) : null;

    /// <summary>The failure for a name that ComfyUI's syntax gives and no file has.</summary>
    public EmbeddingNotFoundException NotFound(string wanted)
    {
        string[] known = [.. catalog.Usable.Select(entry => entry.Name)];
        return new EmbeddingNotFoundException(name, wanted, NearestNames.Of(Path.GetFileNameWithoutExtension(wanted), known), known.Length);
    }

    private Embedding Load(EmbeddingEntry entry)
    {
        IReadOnlyList<EmbeddingEntry> others = catalog.Hidden(entry.Name);
        if (catalog.Find(entry.Name) == entry && others.Count > 0)
        {
            string paths = string.Join(" and ", others.Select(other => other.Place));
            Note($"Several embeddings are called {entry.Name}: {entry.Place} of the first folder is used, and {paths} is not.");
        }

        return entry.Load();
    }

    private string SkippedNotice(EmbeddingEntry entry)
    {
        string reason = entry.Fault is EmbeddingKindException { Model: { } model }
            ? $"is an embedding for {model}"
            : "is no embedding for SDXL that can be read";
        return $"The {name} has the name of {entry.Place}, which {reason}: the name is painted as text.";
    }

    private void Note(string notice)
    {
        if (!_notices.Contains(notice)) _notices.Add(notice);
    }
}
