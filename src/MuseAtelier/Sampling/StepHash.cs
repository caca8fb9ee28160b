namespace MuseAtelier;

/// <summary>
/// Digests of a step's noise and latents: the hash <see cref="PictureProvenance.StepHashName"/> of fp32 values, little-endian, NCHW.
/// </summary>
public readonly record struct StepHash
{
    internal StepHash(ulong? noise, ulong latents)
    {
        Noise = noise;
        Latents = latents;
    }

    /// <summary>The digest of the standard normal noise; null if the step adds none.</summary>
    public ulong? Noise { get; init; }

    /// <summary>The digest of the latents after the step.</summary>
    public ulong Latents { get; init; }
}
