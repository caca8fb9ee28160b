namespace MuseAtelier.Conditioning;

/// <summary>A piece of a prompt, whose text may depend on the step.</summary>
internal abstract record EditPiece;

/// <summary>A piece with the same text in all steps.</summary>
/// <param name="Text">The text, with its brackets and escapes.</param>
internal sealed record FixedPiece(string Text) : EditPiece;

/// <summary>Prompt editing, <c>[before:after:when]</c>: one text up to a step, and another one behind it.</summary>
/// <param name="Before">The pieces of the text up to the step.</param>
/// <param name="After">The pieces of the text behind it.</param>
/// <param name="When">The last step of the first text, in AUTOMATIC1111's counting; 0 if the first text has none.</param>
internal sealed record SwitchPiece(IReadOnlyList<EditPiece> Before, IReadOnlyList<EditPiece> After, int When) : EditPiece;

/// <summary>Alternation, <c>[first|second]</c>: the texts take turns, a step each.</summary>
/// <param name="Options">The pieces of each text, at least two texts.</param>
internal sealed record CyclePiece(IReadOnlyList<IReadOnlyList<EditPiece>> Options) : EditPiece;
