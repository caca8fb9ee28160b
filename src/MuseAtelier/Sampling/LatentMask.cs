using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>How programs keep the part of a picture outside of a mask while a UNet that reads latents alone denoises the rest.</summary>
internal enum MaskBlending
{
    /// <summary>Not at all: the UNet of an inpainting model sees the picture itself.</summary>
    None,

    /// <summary>
    /// After each evaluation, the latents outside of the mask are replaced by the picture's, with the initial noise at the level of the
    /// next evaluation (diffusers, pipeline_stable_diffusion_xl_inpaint.py).
    /// </summary>
    Latents,

    /// <summary>
    /// The clean latents of each evaluation, and the result, are replaced by the picture's (AUTOMATIC1111,
    /// modules/sd_samplers_cfg_denoiser.py, apply_blend; modules/processing.py, StableDiffusionProcessingImg2Img.sample). For DDIM and
    /// UniPC the program replaces the noisy latents by the picture's without noise instead, which is not done here.
    /// </summary>
    Denoised,

    /// <summary>
    /// The UNet sees the picture with the initial noise at the level of the evaluation, and the clean latents are replaced by the
    /// picture's. The sampler's own latents stay as they are (ComfyUI, comfy/samplers.py, KSamplerX0Inpaint).
    /// </summary>
    InputAndDenoised,
}

/// <summary>The part of the latents that is painted. All operations work on borrowed spans of equal length and allocate nothing.</summary>
/// <param name="weights">[4, h, w] fp32, 1 where the picture is painted and 0 where it is kept.</param>
/// <param name="blending">How the rest is kept.</param>
/// <param name="content">What the painted part begins with. Only noise and nothing differ in latent space.</param>
internal sealed class LatentMask(
    ReadOnlyMemory<float> weights, MaskBlending blending, MaskedContent content = MaskedContent.Original)
{
    /// <summary>How the rest is kept.</summary>
    public MaskBlending Blending => blending;

    /// <summary>The way in which a program keeps the rest.</summary>
    /// <param name="dialect">The program.</param>
    /// <param name="isInpaintingModel">Whether the UNet reads a mask and a masked picture.</param>
    public static MaskBlending BlendingOf(SamplingDialect dialect, bool isInpaintingModel) => dialect switch
    {
        SamplingDialect.A1111 => MaskBlending.Denoised,
        SamplingDialect.Comfy => MaskBlending.InputAndDenoised,
        _ => isInpaintingModel ? MaskBlending.None : MaskBlending.Latents,
    };

    /// <summary>
    /// Replaces the masked part of the picture where it begins with noise or with nothing (AUTOMATIC1111, modules/processing.py,
    /// StableDiffusionProcessingImg2Img.init, where the noise is the initial noise of the same seed).
    /// </summary>
    /// <param name="picture">The picture's latents; overwritten.</param>
    /// <param name="noise">The initial noise.</param>
    public void Fill(Span<float> picture, ReadOnlySpan<float> noise)
    {
        ReadOnlySpan<float> shares = weights.Span;
        if (content is not (MaskedContent.Noise or MaskedContent.Nothing)) return;
        for (int i = 0; i < picture.Length; i++)
            picture[i] += shares[i] * ((content == MaskedContent.Noise ? noise[i] : 0) - picture[i]);
    }

    /// <summary>Puts the picture with noise outside of the mask.</summary>
    /// <param name="latents">The latents; overwritten.</param>
    /// <param name="picture">The picture's latents.</param>
    /// <param name="noise">The initial noise.</param>
    /// <param name="sigma">The noise level.</param>
    public void Blend(Span<float> latents, ReadOnlySpan<float> picture, ReadOnlySpan<float> noise, float sigma)
    {
        ReadOnlySpan<float> shares = weights.Span;
        for (int i = 0; i < latents.Length; i++)
        {
            float kept = picture[i] + sigma * noise[i];
            latents[i] = kept + shares[i] * (latents[i] - kept);
        }
    }

    /// <summary>Puts the picture into clean latents outside of the mask.</summary>
    /// <param name="denoised">The clean latents; overwritten.</param>
    /// <param name="picture">The picture's latents.</param>
    public void Blend(Span<float> denoised, ReadOnlySpan<float> picture)
    {
        TensorPrimitives.Subtract(denoised, picture, denoised);
        TensorPrimitives.MultiplyAdd(denoised, weights.Span, picture, denoised);
    }
}
