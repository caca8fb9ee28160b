namespace MuseAtelier;

/// <summary>
/// Digests of a step's noise and latents: the hash <see cref="PictureProvenance.StepHashName"/> of fp32 values, little-endian, NCHW.
/// </summary>
/// <param name="Noise">The digest of the standard normal noise; null if the step adds none.</param>
/// <param name="Latents">The digest of the latents after the step.</param>
public readonly record struct StepHash(ulong? Noise, ulong Latents);
