using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>CLIP's tokenizer, with the ids that transformers' CLIPTokenizer gives. Safe to share between threads.</summary>
internal sealed class ClipTokenizer
{
    private static readonly Lazy<ClipTokenizer> LazyShared = new(() => new ClipTokenizer());

    private readonly ClipVocabulary _vocabulary = new();

    private ClipTokenizer() { }

    /// <summary>The shared tokenizer. Its tables are built at the first use.</summary>
    public static ClipTokenizer Shared => LazyShared.Value;

    /// <summary>Splits a prompt into tokens.</summary>
    public PromptTokens Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var reading = new PromptReading(_vocabulary, text, TextChunk.Capacity, PromptReading.MostUnits);
        reading.Run();
        (List<int> ids, List<Range> sources) = (reading.Ids, reading.Sources);
        int kept = Math.Min(ids.Count, TextChunk.Capacity);
        return new PromptTokens
        {
            ClipL = ChunkIds.ClipL(CollectionsMarshal.AsSpan(ids)[..kept]),
            ClipG = ChunkIds.ClipG(CollectionsMarshal.AsSpan(ids)[..kept]),
            Tokens = [.. Enumerable.Range(0, kept).Select(i => new PromptToken(ids[i], _vocabulary.TextOf(ids[i]), text[sources[i]]))],
            CutText = kept < ids.Count ? text.AsSpan(sources[kept].Start.Value).Trim().ToString() : "",
            CutCount = ids.Count - kept,
            IsCutCountExact = reading.IsComplete,
        };
    }

    /// <summary>Splits a part of a prompt into tokens, without start, end and padding.</summary>
    /// <param name="text">The part.</param>
    /// <param name="most">The most tokens that are of use, at least 0.</param>
    /// <returns>The tokens of the whole part, or more than <paramref name="most"/> of its first tokens.</returns>
    public List<int> EncodeSpan(string text, int most)
    {
        var reading = new PromptReading(_vocabulary, text, most, int.MaxValue);
        reading.Run();
        return reading.Ids;
    }

    /// <summary>A token's spelling in CLIP's vocabulary.</summary>
    public string TextOf(int id) => _vocabulary.TextOf(id);
}
