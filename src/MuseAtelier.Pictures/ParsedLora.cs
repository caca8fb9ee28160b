namespace MuseAtelier.Pictures;

/// <summary>
/// A LoRA that a program's text names. No text holds its file: <see cref="ParsedParameters.WithLoras"/> looks it up.
/// </summary>
public sealed record ParsedLora
{
    internal ParsedLora(string name) => Name = name;

    /// <summary>The name, without extension; with the path within a folder if the program has one.</summary>
    public string Name { get; init; }

    /// <summary>The factor of the changes to the UNet.</summary>
    public float Strength { get; init; } = 1;

    /// <summary>The factor of the changes to the text encoders; null means <see cref="Strength"/>.</summary>
    public float? TextStrength { get; init; }

    /// <summary>
    /// The first digits of a digest: of the whole file, or as AUTOMATIC1111 has it, of what follows the header. Null if the text has none.
    /// </summary>
    public string? Hash { get; init; }

    /// <summary>Whether a tag of the prompt names it, which has the strengths.</summary>
    public bool IsInPrompt { get; init; }

    /// <summary>Whether the second pass's own prompt, or a setting of the second pass, names it.</summary>
    public bool IsOfSecondPass { get; init; }
}
