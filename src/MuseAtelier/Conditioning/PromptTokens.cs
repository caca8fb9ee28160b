namespace MuseAtelier;

/// <summary>The tokens of a prompt that the text encoders read, and the part that does not fit.</summary>
public sealed record PromptTokens
{
    internal PromptTokens() { }

    /// <summary>[77] ids for CLIP-L: start, at most 75 tokens, end, then 49407 as padding.</summary>
    public required ReadOnlyMemory<int> ClipL { get; init; }

    /// <summary>[77] ids for CLIP-G: the same with 0 as padding.</summary>
    public required ReadOnlyMemory<int> ClipG { get; init; }

    /// <summary>The prompt's own tokens that fit, at most 75, without start, end and padding.</summary>
    public required IReadOnlyList<PromptToken> Tokens { get; init; }

    /// <summary>The part of the prompt that did not fit, as the user wrote it; empty if the whole prompt fits.</summary>
    public required string CutText { get; init; }

    /// <summary>The number of tokens that did not fit; a lower bound if <see cref="IsCutCountExact"/> is false.</summary>
    public required int CutCount { get; init; }

    /// <summary>
    /// Whether <see cref="CutCount"/> includes all tokens that did not fit. False only for long prompts: of more than 65,536 characters
    /// (UTF-16 code units without white space), or of more than about 8,000 bytes of UTF-8 in different words. The tokens that fit are
    /// exact in any case.
    /// </summary>
    public bool IsCutCountExact { get; init; } = true;
}

/// <summary>One token of a prompt.</summary>
public readonly record struct PromptToken
{
    internal PromptToken(int id, string text, string source)
    {
        Id = id;
        Text = text;
        Source = source;
    }

    /// <summary>The token's number in CLIP's vocabulary, 0 to 49407.</summary>
    public int Id { get; init; }

    /// <summary>The token's spelling in CLIP's vocabulary: one letter a byte, <c>&lt;/w&gt;</c> at the end of a word.</summary>
    public string Text { get; init; }

    /// <summary>
    /// The part of the prompt that the token stands for, as the user wrote it. A letter that takes several tokens is repeated in each.
    /// </summary>
    public string Source { get; init; }
}
