namespace MuseAtelier;

/// <summary>A LoRA that a picture was painted with.</summary>
public sealed record UsedLora
{
    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the file, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The factor of the changes to the UNet.</summary>
    public required float Strength { get; init; }

    /// <summary>The factor of the changes to the text encoders.</summary>
    public required float TextStrength { get; init; }

    /// <summary>The digits by which AUTOMATIC1111's texts name the file; null if unknown.</summary>
    internal string? ShortHash { get; init; }
}
