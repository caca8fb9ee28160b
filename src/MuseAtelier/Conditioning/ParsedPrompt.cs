namespace MuseAtelier.Conditioning;

/// <summary>A prompt as its syntax reads it.</summary>
/// <param name="Spans">The weighted parts in the order of the prompt, at least one.</param>
/// <param name="Notices">What the user should know about brackets that do not do what they seem to.</param>
internal sealed record ParsedPrompt(IReadOnlyList<PromptSpan> Spans, IReadOnlyList<string> Notices);
