using System.Runtime.CompilerServices;
using MuseAtelier.Adapters;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Finds the names of embeddings among the tokens of a prompt as AUTOMATIC1111 does: by the tokens of the name, the longest name first
/// (modules/textual_inversion/textual_inversion.py, register_embedding_by_name and find_embedding_at_position). Immutable.
/// </summary>
internal sealed class EmbeddingNames
{
    // The name of a file has at most 255 letters, each of which takes at most four tokens.
    private const int MostTokens = 1024;

    private static readonly ConditionalWeakTable<EmbeddingCatalog, EmbeddingNames> Known = [];

    private readonly Dictionary<int, List<TokenName>> _usable = [];
    private readonly Dictionary<int, List<TokenName>> _skipped = [];

    private EmbeddingNames(EmbeddingCatalog catalog)
    {
        foreach (EmbeddingEntry entry in catalog.Usable) Add(_usable, entry);
        foreach (EmbeddingEntry entry in catalog.Skipped) Add(_skipped, entry);
        foreach (List<TokenName> names in _usable.Values.Concat(_skipped.Values))
        {
            // The first of several names with the same tokens is used, so the order must be stable.
            TokenName[] ordered = [.. names.OrderByDescending(name => name.Ids.Length)];
            names.Clear();
            names.AddRange(ordered);
        }
    }

    /// <summary>The tokens of the longest name; 1 if there are no names.</summary>
    public int LongestName { get; private set; } = 1;

    /// <summary>The names of a catalog, which are split into tokens once.</summary>
    public static EmbeddingNames Of(EmbeddingCatalog catalog) => Known.GetValue(catalog, static files => new EmbeddingNames(files));

    /// <summary>The embedding that tokens name.</summary>
    /// <param name="ids">The tokens of a part of a prompt.</param>
    /// <param name="at">The index at which a name may begin.</param>
    /// <returns>The file and the number of tokens of its name; null and 0 if no name begins there.</returns>
    public (EmbeddingEntry? Entry, int Length) Find(ReadOnlySpan<int> ids, int at) => Find(_usable, ids, at);

    /// <summary>The same for files that cannot be used, such as embeddings for SD 1.x.</summary>
    public EmbeddingEntry? FindSkipped(ReadOnlySpan<int> ids, int at) => Find(_skipped, ids, at).Entry;

    private static (EmbeddingEntry? Entry, int Length) Find(Dictionary<int, List<TokenName>> names, ReadOnlySpan<int> ids, int at)
    {
        if (!names.TryGetValue(ids[at], out List<TokenName>? candidates)) return (null, 0);
        foreach (TokenName name in candidates)
            if (ids[at..].StartsWith(name.Ids)) return (name.Entry, name.Ids.Length);
        return (null, 0);
    }

    private void Add(Dictionary<int, List<TokenName>> names, EmbeddingEntry entry)
    {
        int[] ids = [.. ClipTokenizer.Shared.EncodeSpan(entry.Name, MostTokens)];
        // A name of white space or of very many letters cannot be found.
        if (ids.Length is 0 or > MostTokens) return;
        if (!names.TryGetValue(ids[0], out List<TokenName>? same)) names[ids[0]] = same = [];
        same.Add(new TokenName(ids, entry));
        LongestName = Math.Max(LongestName, ids.Length);
    }

    private sealed record TokenName(int[] Ids, EmbeddingEntry Entry);
}
