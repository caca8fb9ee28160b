using System.Runtime.InteropServices;
using MuseAtelier.Adapters;
using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>
/// The text encoders' input for one prompt: chunks of <see cref="TextChunk.Length"/> tokens, each with start, text, end and padding, and
/// the weight of every token. Prompts with equal chunks have equal embeddings, so the chunks are the key under which embeddings are kept.
/// An id of <see cref="TextChunk.Vocabulary"/> or more is a vector of <see cref="Embeddings"/>, laid end to end. Immutable.
/// </summary>
internal sealed class PromptChunks : IEquatable<PromptChunks>
{
    private readonly int[] _clipL;
    private readonly int[] _clipG;
    private readonly float[] _weights;
    private readonly Embedding[] _embeddings;

    /// <summary>Copies the ids of all chunks, whose weights are all 1.</summary>
    /// <param name="clipL">[n * 77] ids for CLIP-L, chunk by chunk; borrowed.</param>
    /// <param name="clipG">[n * 77] ids for CLIP-G, which differ from the other encoder's in the padding only; borrowed.</param>
    /// <exception cref="ArgumentException">The two have different lengths, or no whole number of chunks.</exception>
    public PromptChunks(ReadOnlySpan<int> clipL, ReadOnlySpan<int> clipG) : this(clipL, clipG, Ones(clipL.Length), default) { }

    /// <summary>Copies the ids and the weights of all chunks.</summary>
    /// <param name="clipL">[n * 77] ids for CLIP-L, chunk by chunk; borrowed.</param>
    /// <param name="clipG">[n * 77] ids for CLIP-G, which differ from the other encoder's in the padding only; borrowed.</param>
    /// <param name="weights">[n * 77] the weight of each token; borrowed.</param>
    /// <param name="emphasis">How the weights act; without effect if they are all 1.</param>
    /// <param name="embeddings">The embeddings (textual inversion) whose vectors are among the ids; borrowed. By default none are.</param>
    /// <exception cref="ArgumentException">The three have different lengths, or no whole number of chunks.</exception>
    public PromptChunks(
        ReadOnlySpan<int> clipL, ReadOnlySpan<int> clipG, ReadOnlySpan<float> weights, Emphasis emphasis,
        IReadOnlyList<Embedding>? embeddings = null)
    {
        if (clipL.IsEmpty || clipL.Length % TextChunk.Length != 0 || clipG.Length != clipL.Length)
            throw new ArgumentException("Both encoders need the same number of whole chunks.", nameof(clipG));
        if (weights.Length != clipL.Length) throw new ArgumentException("Every token needs a weight.", nameof(weights));
        _clipL = clipL.ToArray();
        _clipG = clipG.ToArray();
        _weights = weights.ToArray();
        _embeddings = [.. embeddings ?? []];
        Emphasis = TokenWeights.AreNeutral(weights) ? default : emphasis;
    }

    /// <summary>The chunk of the empty prompt.</summary>
    public static PromptChunks Empty { get; } = new(ChunkIds.ClipL([]), ChunkIds.ClipG([]));

    /// <summary>The number of chunks, at least 1.</summary>
    public int Count => Tokens / TextChunk.Length;

    /// <summary>The tokens of all chunks, which are the rows of the prompt's hidden states.</summary>
    public int Tokens => _clipL.Length;

    /// <summary>[Tokens] the weight of each token; 1 for start, end and padding.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>How the weights act on the hidden states.</summary>
    public Emphasis Emphasis { get; }

    /// <summary>The embeddings (textual inversion) whose vectors are among the ids, each once.</summary>
    public IReadOnlyList<Embedding> Embeddings => _embeddings;

    /// <summary>The vector that an id stands for.</summary>
    /// <param name="id">An id of <see cref="TextChunk.Vocabulary"/> or more.</param>
    /// <returns>The embedding, and the row of its vector.</returns>
    public (Embedding Embedding, int Row) VectorOf(int id)
    {
        int row = id - TextChunk.Vocabulary;
        foreach (Embedding embedding in _embeddings)
        {
            if (row < embedding.Count) return (embedding, row);
            row -= embedding.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(id), id, "No embedding has a vector of this id.");
    }

    /// <summary>The chunk of a prompt's tokens that fit.</summary>
    public static PromptChunks Of(PromptTokens tokens) => new(tokens.ClipL.Span, tokens.ClipG.Span);

    /// <summary>[77] a chunk's ids for CLIP-L.</summary>
    public ReadOnlySpan<int> ClipL(int chunk) => _clipL.AsSpan(chunk * TextChunk.Length, TextChunk.Length);

    /// <summary>[77] a chunk's ids for CLIP-G.</summary>
    public ReadOnlySpan<int> ClipG(int chunk) => _clipG.AsSpan(chunk * TextChunk.Length, TextChunk.Length);

    /// <summary>[77] the weights of a chunk's tokens.</summary>
    public ReadOnlySpan<float> WeightsOf(int chunk) => _weights.AsSpan(chunk * TextChunk.Length, TextChunk.Length);

    /// <summary>
    /// The chunks, followed by those of the empty prompt until there are so many (AUTOMATIC1111, modules/sd_samplers_cfg_denoiser.py,
    /// pad_cond).
    /// </summary>
    /// <param name="count">The number of chunks, at least <see cref="Count"/>.</param>
    public PromptChunks PadTo(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, Count);
        if (count == Count) return this;
        IEnumerable<PromptChunks> empties = Enumerable.Repeat(Empty, count - Count);
        return new PromptChunks(
            [.. _clipL, .. empties.SelectMany(empty => empty._clipL)],
            [.. _clipG, .. empties.SelectMany(empty => empty._clipG)],
            [.. _weights, .. empties.SelectMany(empty => empty._weights)],
            Emphasis,
            _embeddings);
    }

    /// <summary>
    /// The chunks over and over until there are so many. Attention to repeated keys and values gives what attention to them once gives.
    /// </summary>
    /// <param name="count">The number of chunks, a multiple of <see cref="Count"/>.</param>
    public PromptChunks RepeatTo(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(count % Count, 0);
        if (count == Count) return this;
        IEnumerable<PromptChunks> copies = Enumerable.Repeat(this, count / Count);
        return new PromptChunks(
            [.. copies.SelectMany(copy => copy._clipL)],
            [.. copies.SelectMany(copy => copy._clipG)],
            [.. copies.SelectMany(copy => copy._weights)],
            Emphasis,
            _embeddings);
    }

    /// <summary>The first chunk with the same ids and weights as a chunk; the chunk itself if no earlier one has.</summary>
    public int FirstEqual(int chunk)
    {
        int earlier = 0;
        while (!ClipL(earlier).SequenceEqual(ClipL(chunk)) || !WeightsOf(earlier).SequenceEqual(WeightsOf(chunk))) earlier++;
        return earlier;
    }

    /// <inheritdoc/>
    public bool Equals(PromptChunks? other) => other is not null
        && Emphasis == other.Emphasis
        && _clipL.AsSpan().SequenceEqual(other._clipL)
        && _clipG.AsSpan().SequenceEqual(other._clipG)
        && _weights.AsSpan().SequenceEqual(other._weights)
        && _embeddings.Select(embedding => embedding.Sha256).SequenceEqual(other._embeddings.Select(embedding => embedding.Sha256));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PromptChunks);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(_clipL.AsSpan()));
        hash.AddBytes(MemoryMarshal.AsBytes(_weights.AsSpan()));
        return hash.ToHashCode();
    }

    private static float[] Ones(int count)
    {
        float[] ones = new float[count];
        ones.AsSpan().Fill(1);
        return ones;
    }
}
