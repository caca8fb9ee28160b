namespace MuseAtelier;

/// <summary>The identity of a loaded model.</summary>
public sealed record ModelInfo
{
    /// <summary>Creates the identity of a model.</summary>
    /// <param name="name">The checkpoint's file name without extension.</param>
    /// <param name="sha256">SHA-256 of the checkpoint, lower-case hex.</param>
    /// <param name="package">Path of the package's folder.</param>
    public ModelInfo(string name, string sha256, string package) => (Name, Sha256, Package) = (name, sha256, package);

    /// <summary>The checkpoint's file name without extension.</summary>
    public string Name { get; init; }

    /// <summary>SHA-256 of the checkpoint, lower-case hex.</summary>
    public string Sha256 { get; init; }

    /// <summary>Path of the package's folder.</summary>
    public string Package { get; init; }

    /// <summary>The title that the checkpoint states, if any.</summary>
    public string? Title { get; init; }

    /// <summary>The licence that the checkpoint states, if any.</summary>
    public string? License { get; init; }

    /// <summary>The VAE in a file of its own that replaces the checkpoint's; null if the VAE is the checkpoint's.</summary>
    public UsedVae? Vae { get; init; }

    /// <summary>The number of parameters of all parts.</summary>
    public required long Parameters { get; init; }
}
