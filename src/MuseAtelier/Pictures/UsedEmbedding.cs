namespace MuseAtelier;

/// <summary>An embedding (textual inversion) that a prompt of a picture named.</summary>
public sealed record UsedEmbedding
{
    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the file, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
}
