namespace MuseAtelier.Conditioning;

/// <summary>A part of a prompt whose tokens have one weight.</summary>
/// <param name="Text">The text without the brackets and escapes of its syntax; empty for a break.</param>
/// <param name="Weight">The weight of its tokens; 1 leaves them as they are.</param>
internal readonly record struct PromptSpan(string Text, double Weight)
{
    /// <summary>The end of a chunk, which the word <c>BREAK</c> stands for.</summary>
    public static PromptSpan Break { get; } = new("", 1) { IsBreak = true };

    /// <summary>Whether the span ends a chunk instead of being text.</summary>
    public bool IsBreak { get; init; }
}
