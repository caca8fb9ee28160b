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

    /// <summary>How many tokens did not fit.</summary>
    public required int CutCount { get; init; }
}

/// <summary>One token of a prompt.</summary>
/// <param name="Id">Its number in CLIP's vocabulary, 0 to 49407.</param>
/// <param name="Text">Its spelling in CLIP's vocabulary: one letter a byte, <c>&lt;/w&gt;</c> where a word ends.</param>
/// <param name="Source">The part of the prompt that it stands for, as it was written; a letter that takes several tokens is repeated in each.</param>
public readonly record struct PromptToken(int Id, string Text, string Source);
