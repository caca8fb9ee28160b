namespace MuseAtelier;

/// <summary>What the text encoders see of a prompt, and what they do not.</summary>
public sealed record PromptTokens
{
    /// <summary>[77] ids for CLIP-L: start, at most 75 tokens, end, then 49407 up to the end.</summary>
    public required ReadOnlyMemory<int> ClipL { get; init; }

    /// <summary>[77] ids for CLIP-G: the same, but 0 behind the first end.</summary>
    public required ReadOnlyMemory<int> ClipG { get; init; }

    /// <summary>The prompt's own tokens that fit, at most 75, without start, end and filling.</summary>
    public required IReadOnlyList<PromptToken> Tokens { get; init; }

    /// <summary>The part of the prompt that did not fit, as it was written; empty when all of it did.</summary>
    public required string CutText { get; init; }

    /// <summary>How many tokens did not fit; at least so many where <see cref="IsCutCountExact"/> is false.</summary>
    public required int CutCount { get; init; }

    /// <summary>
    /// Whether all tokens that did not fit were counted. False for long prompts only: of more than 65,536 characters (UTF-16 code units,
    /// white space not counted), or of more than about 8,000 bytes of UTF-8 in different words. The tokens that fit are those of the
    /// whole prompt all the same.
    /// </summary>
    public bool IsCutCountExact { get; init; } = true;
}

/// <summary>One token of a prompt.</summary>
/// <param name="Id">Its number in CLIP's vocabulary, 0 to 49407.</param>
/// <param name="Text">Its spelling in CLIP's vocabulary: one letter a byte, <c>&lt;/w&gt;</c> where a word ends.</param>
/// <param name="Source">The part of the prompt that it stands for, as it was written; a letter that takes several tokens is repeated in each.</param>
public readonly record struct PromptToken(int Id, string Text, string Source);
