namespace MuseAtelier.Pictures;

/// <summary>What a program's text asks for, as far as it can be painted here.</summary>
/// <param name="Request">The request. What the text does not name has the default that <see cref="Notices"/> states.</param>
/// <param name="ModelName">The model's name, without folders and extension; null when the text has none.</param>
/// <param name="ModelHash">The first digits of the checkpoint's SHA-256; null when the text has none.</param>
/// <param name="NotTaken">What could not be taken over, in words.</param>
public sealed record ParsedParameters(PictureRequest Request, string? ModelName, string? ModelHash, IReadOnlyList<string> NotTaken)
{
    /// <summary>The program that wrote the text.</summary>
    public string Program { get; init; } = "AUTOMATIC1111";

    /// <summary>Whether the text names a seed. Where it does not, the request has seed 0, and the caller may draw one.</summary>
    public bool HasSeed { get; init; } = true;

    /// <summary>
    /// Whether the text names a size. Where it does not, the request has the picture's own or, where no picture is known, the default.
    /// </summary>
    public bool HasSize { get; init; } = true;

    /// <summary>
    /// What the text left open and what stands for it, in sentences; empty when it named everything. A missing seed is not among them.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>
    /// The part of <see cref="NotTaken"/> that names the syntax in the prompts; null where there is none. A picture that is painted from
    /// the request says the same in <see cref="Picture.Notices"/>.
    /// </summary>
    public string? PromptSyntax { get; init; }
}
