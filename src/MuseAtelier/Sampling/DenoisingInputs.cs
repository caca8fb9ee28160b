namespace MuseAtelier.Sampling;

/// <summary>What the pictures of a batch are painted from, beside their prompts and their noise.</summary>
/// <param name="Start">The latents at which denoising begins.</param>
/// <param name="Mask">The part that is painted; null means the whole picture.</param>
/// <param name="ExtraChannels">
/// [extra channels, h, w] fp32 that the UNet reads behind the latents, as inpainting models do; empty for a base model.
/// </param>
internal sealed record DenoisingInputs(InitialLatents Start, LatentMask? Mask = null, ReadOnlyMemory<float> ExtraChannels = default)
{
    /// <summary>A picture of noise alone.</summary>
    public static DenoisingInputs FromNoise { get; } = new(InitialLatents.Noise);
}
