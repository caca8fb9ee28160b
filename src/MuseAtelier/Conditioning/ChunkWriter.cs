using System.Runtime.InteropServices;
using MuseAtelier.Adapters;
using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>Collects weighted tokens and lays them out as chunks. An instance is used once, by one thread.</summary>
/// <param name="name">The prompt's name in errors.</param>
internal sealed class ChunkWriter(string name)
{
    /// <summary>The most chunks of a prompt.</summary>
    public const int MostChunks = 64;

    private readonly List<int> _clipL = [];
    private readonly List<int> _clipG = [];
    private readonly List<float> _rows = [];
    private readonly List<int> _ids = [];
    private readonly List<float> _weights = [];
    private readonly List<Embedding> _embeddings = [];
    private readonly Dictionary<string, int[]> _idsOfEmbeddings = new(StringComparer.Ordinal);
    private int _vectors;

    /// <summary>The number of finished chunks.</summary>
    public int Count => _rows.Count / TextChunk.Length;

    /// <summary>The number of tokens in the open chunk, 0 to 75.</summary>
    public int Open => _ids.Count;

    /// <summary>The number of tokens for which the open chunk has room.</summary>
    public int Room => TextChunk.Capacity - _ids.Count;

    /// <summary>Adds a token to the open chunk, which must have room.</summary>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public void Add(int id, float weight)
    {
        if (Count == MostChunks) throw PromptException.TooManyChunks(name, MostChunks);
        _ids.Add(id);
        _weights.Add(weight);
    }

    /// <summary>The ids of an embedding's vectors, which are added like tokens.</summary>
    public IReadOnlyList<int> IdsOf(Embedding embedding)
    {
        if (_idsOfEmbeddings.TryGetValue(embedding.Sha256, out int[]? known)) return known;
        int[] ids = [.. Enumerable.Range(TextChunk.Vocabulary + _vectors, embedding.Count)];
        _embeddings.Add(embedding);
        _vectors += embedding.Count;
        return _idsOfEmbeddings[embedding.Sha256] = ids;
    }

    /// <summary>Finishes the open chunk with end and padding, which have weight 1, and opens the next one.</summary>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public void EndChunk() => EndChunk(_ids.Count);

    /// <summary>Finishes the open chunk after some of its tokens. The others begin the next chunk.</summary>
    /// <param name="kept">The number of tokens that the chunk keeps.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public void EndChunk(int kept)
    {
        if (Count == MostChunks) throw PromptException.TooManyChunks(name, MostChunks);
        ReadOnlySpan<int> ids = CollectionsMarshal.AsSpan(_ids)[..kept];
        _clipL.AddRange(ChunkIds.ClipL(ids));
        _clipG.AddRange(ChunkIds.ClipG(ids));
        _rows.Add(1);
        _rows.AddRange(_weights.Take(kept));
        _rows.AddRange(Enumerable.Repeat(1f, TextChunk.Length - 1 - kept));
        _ids.RemoveRange(0, kept);
        _weights.RemoveRange(0, kept);
    }

    /// <summary>Finishes the open chunk, unless it is empty and not the only one, and gives the chunks.</summary>
    /// <param name="emphasis">How the weights act.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public PromptChunks ToChunks(Emphasis emphasis)
    {
        if (Open > 0 || Count == 0) EndChunk();
        return new PromptChunks(
            CollectionsMarshal.AsSpan(_clipL), CollectionsMarshal.AsSpan(_clipG), CollectionsMarshal.AsSpan(_rows), emphasis, _embeddings);
    }
}
