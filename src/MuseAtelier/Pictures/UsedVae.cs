namespace MuseAtelier;

/// <summary>A VAE in a file of its own that replaces the model's.</summary>
public sealed record UsedVae
{
    /// <summary>The file's name.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the file, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
}
