namespace MuseAtelier.Format;

/// <summary>A VAE in a file of its own that replaces the model's.</summary>
/// <param name="Name">Name of the file.</param>
/// <param name="Sha256">SHA-256 of the file, lower-case hex.</param>
internal sealed record VaeSpec(string Name, string Sha256);
