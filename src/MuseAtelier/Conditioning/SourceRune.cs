namespace MuseAtelier.Conditioning;

/// <summary>A code point of the cleaned text and the place in the prompt that it comes from.</summary>
/// <param name="Value">The code point.</param>
/// <param name="Start">Index of its first UTF-16 unit in the prompt.</param>
/// <param name="End">Index after its last one.</param>
internal readonly record struct SourceRune(int Value, int Start, int End);
