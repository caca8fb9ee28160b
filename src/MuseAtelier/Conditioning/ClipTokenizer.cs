using MuseAtelier.Packages;

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
        var reading = new PromptReading(_vocabulary, text);
        reading.Run();
        (List<int> ids, List<Range> sources) = (reading.Ids, reading.Sources);
        int kept = Math.Min(ids.Count, TextChunk.Capacity);
        return new PromptTokens
        {
            ClipL = Fill(ids, kept, ClipVocabulary.EndOfText),
            ClipG = FillBehindFirstEnd(Fill(ids, kept, ClipVocabulary.EndOfText)),
            Tokens = [.. Enumerable.Range(0, kept).Select(i => new PromptToken(ids[i], _vocabulary.TextOf(ids[i]), text[sources[i]]))],
            CutText = kept < ids.Count ? text.AsSpan(sources[kept].Start.Value).Trim().ToString() : "",
            CutCount = ids.Count - kept,
            IsCutCountExact = reading.IsComplete,
        };
    }

    // CLIP-G was trained with zeros behind the first end, so they begin there even if the prompt itself contains the end token.
    private static int[] FillBehindFirstEnd(int[] row)
    {
        row.AsSpan(Array.IndexOf(row, ClipVocabulary.EndOfText) + 1).Clear();
        return row;
    }

    private static int[] Fill(List<int> ids, int kept, int padding)
    {
        int[] row = new int[TextChunk.Length];
        row[0] = ClipVocabulary.StartOfText;
        ids.CopyTo(0, row, 1, kept);
        row[kept + 1] = ClipVocabulary.EndOfText;
        row.AsSpan(kept + 2).Fill(padding);
        return row;
    }
}
