namespace MuseAtelier.Prompting;

/// <summary>CLIP's tokenizer, with the ids that transformers' CLIPTokenizer gives. Safe to share between threads.</summary>
internal sealed class ClipTokenizer
{
    /// <summary>Positions of the text encoders: start, text, end, filling.</summary>
    public const int Positions = 77;

    /// <summary>Tokens of text that fit between start and end.</summary>
    public const int Capacity = Positions - 2;

    private static readonly Lazy<ClipTokenizer> LazyShared = new(() => new ClipTokenizer());

    private readonly ClipVocabulary _vocabulary = new();

    private ClipTokenizer() { }

    /// <summary>The one tokenizer; its tables are built when it is first asked for.</summary>
    public static ClipTokenizer Shared => LazyShared.Value;

    /// <summary>Splits a prompt into tokens.</summary>
    public PromptTokens Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var reading = new PromptReading(_vocabulary, text);
        reading.Run();
        (List<int> ids, List<Range> sources) = (reading.Ids, reading.Sources);
        int kept = Math.Min(ids.Count, Capacity);
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

    // CLIP-G was trained with zeros behind the first end: so it gets them even where the prompt itself names one.
    private static int[] FillBehindFirstEnd(int[] row)
    {
        row.AsSpan(Array.IndexOf(row, ClipVocabulary.EndOfText) + 1).Clear();
        return row;
    }

    private static int[] Fill(List<int> ids, int kept, int filling)
    {
        int[] row = new int[Positions];
        row[0] = ClipVocabulary.StartOfText;
        ids.CopyTo(0, row, 1, kept);
        row[kept + 1] = ClipVocabulary.EndOfText;
        row.AsSpan(kept + 2).Fill(filling);
        return row;
    }
}
