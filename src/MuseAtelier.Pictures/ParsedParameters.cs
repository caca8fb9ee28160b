namespace MuseAtelier.Pictures;

/// <summary>What AUTOMATIC1111's text asks for, as far as it can be painted here.</summary>
/// <param name="Request">The request.</param>
/// <param name="ModelName">The model's name; null when the text has none.</param>
/// <param name="ModelHash">The first digits of the checkpoint's SHA-256; null when the text has none.</param>
/// <param name="NotTaken">What could not be taken over, in words.</param>
public sealed record ParsedParameters(PictureRequest Request, string? ModelName, string? ModelHash, IReadOnlyList<string> NotTaken);
