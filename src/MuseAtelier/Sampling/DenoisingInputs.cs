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

    /// <summary>The masked picture that an inpainting model reads behind <see cref="ExtraChannels"/>; null if it reads none.</summary>
    public LatentDistribution? MaskedPicture { get; init; }

    /// <summary>
    /// Whether a draw for the masked picture follows the initial noise. diffusers makes it for base models too, which do not read the
    /// masked picture (pipeline_stable_diffusion_xl_inpaint.py, prepare_mask_latents).
    /// </summary>
    public bool DrawsForMaskedPicture { get; init; }
}
