namespace MuseAtelier;

/// <summary>
/// A LoRA, or a file of a related family (LoCon, LoHa, LoKr, DoRA, GLoRA, full differences), that a picture is painted with. Several add up:
/// each changes the weights W of the model to W + strength * change.
/// </summary>
public sealed record PictureLora
{
    /// <summary>Path of the <c>.safetensors</c> file.</summary>
    public required string Path { get; init; }

    /// <summary>The factor of the changes to the UNet; any finite number from -100 to 100. 0 leaves the UNet as it is.</summary>
    public float Strength { get; init; } = 1;

    /// <summary>The factor of the changes to the text encoders; null means <see cref="Strength"/>.</summary>
    public float? TextStrength { get; init; }

    /// <summary>
    /// SHA-256 that the file must have, 64 lower-case hex digits; null accepts any file. A file with another digest is refused.
    /// </summary>
    public string? Sha256 { get; init; }

    /// <summary>
    /// Whether a tag of the prompt names it. The prompt of a request that has such LoRAs is encoded without its tags; that of any other
    /// request is encoded as it is written.
    /// </summary>
    internal bool IsFromPrompt { get; init; }

    /// <summary>
    /// Whether only its name and its digest are known, as of a LoRA that was read from a record. <see cref="Path"/> then has no folder, and
    /// painting needs the file itself.
    /// </summary>
    internal bool IsReference { get; init; }

    /// <summary>
    /// The first digits of the digest by which AUTOMATIC1111 names the file, which covers the data behind its header; null if unknown.
    /// </summary>
    internal string? ShortHash { get; init; }

    /// <summary>The file's name without its folder and its extension, by which prompts name it.</summary>
    internal string Name => System.IO.Path.GetFileNameWithoutExtension(Path);
}
