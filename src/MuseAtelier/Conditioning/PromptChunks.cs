using System.Runtime.InteropServices;
using MuseAtelier.Packages;

namespace MuseAtelier.Conditioning;

/// <summary>
/// The text encoders' input for one prompt: chunks of <see cref="TextChunk.Length"/> tokens, each with start, text, end and padding.
/// Prompts with equal chunks have equal embeddings, so the chunks are the key under which embeddings are kept. Immutable.
/// </summary>
internal sealed class PromptChunks : IEquatable<PromptChunks>
{
    private readonly int[] _clipL;
    private readonly int[] _clipG;
    private readonly float[] _weights;

    /// <summary>Copies the ids of all chunks.</summary>
    /// <param name="clipL">[n * 77] ids for CLIP-L, chunk by chunk; borrowed.</param>
    /// <param name="clipG">[n * 77] ids for CLIP-G, which differ from the other encoder's in the padding only; borrowed.</param>
    /// <exception cref="ArgumentException">The two have different lengths, or no whole number of chunks.</exception>
    public PromptChunks(ReadOnlySpan<int> clipL, ReadOnlySpan<int> clipG)
    {
        if (clipL.IsEmpty || clipL.Length % TextChunk.Length != 0 || clipG.Length != clipL.Length)
            throw new ArgumentException("Both encoders need the same number of whole chunks.", nameof(clipG));
        _clipL = clipL.ToArray();
        _clipG = clipG.ToArray();
        _weights = new float[clipL.Length];
        _weights.AsSpan().Fill(1);
    }

    /// <summary>The number of chunks, at least 1.</summary>
    public int Count => Tokens / TextChunk.Length;

    /// <summary>The tokens of all chunks, which are the rows of the prompt's hidden states.</summary>
    public int Tokens => _clipL.Length;

    /// <summary>[Tokens] the weight of each token. All are 1, because prompts have no syntax for weights yet.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>The chunk of a prompt's tokens that fit.</summary>
    public static PromptChunks Of(PromptTokens tokens) => new(tokens.ClipL.Span, tokens.ClipG.Span);

    /// <summary>[77] a chunk's ids for CLIP-L.</summary>
    public ReadOnlySpan<int> ClipL(int chunk) => _clipL.AsSpan(chunk * TextChunk.Length, TextChunk.Length);

    /// <summary>[77] a chunk's ids for CLIP-G.</summary>
    public ReadOnlySpan<int> ClipG(int chunk) => _clipG.AsSpan(chunk * TextChunk.Length, TextChunk.Length);

    /// <inheritdoc/>
    public bool Equals(PromptChunks? other) => other is not null
        && _clipL.AsSpan().SequenceEqual(other._clipL)
        && _clipG.AsSpan().SequenceEqual(other._clipG)
        && _weights.AsSpan().SequenceEqual(other._weights);

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
}
