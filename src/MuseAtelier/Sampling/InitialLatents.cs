using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>The latents at which denoising begins: noise alone, or an existing picture with noise on it.</summary>
internal sealed class InitialLatents
{
    private InitialLatents(LatentDistribution? picture) => Picture = picture;

    /// <summary>Noise alone.</summary>
    public static InitialLatents Noise { get; } = new(null) { IsNoiseAlone = true };

    /// <summary>The existing picture; null if there is none.</summary>
    public LatentDistribution? Picture { get; }

    /// <summary>
    /// Whether denoising begins with noise alone although there is a picture, of which a mask keeps a part (diffusers
    /// pipeline_stable_diffusion_xl_inpaint.py, is_strength_max).
    /// </summary>
    public bool IsNoiseAlone { get; private init; }

    /// <summary>An existing picture, of which each picture of a batch may draw its own latents.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="isNoiseAlone">Whether denoising begins with noise alone.</param>
    public static InitialLatents Encoded(LatentDistribution picture, bool isNoiseAlone = false) =>
        new(picture) { IsNoiseAlone = isNoiseAlone };

    /// <summary>An existing picture.</summary>
    /// <param name="latents">[4, h, w] fp32, in the scale of the UNet; the same for all pictures of a batch.</param>
    public static InitialLatents Encoded(ReadOnlyMemory<float> latents) => new(LatentDistribution.Of(latents));

    /// <summary>Writes the latents of a picture.</summary>
    /// <param name="noise">Standard normal noise.</param>
    /// <param name="scale">The factor of noise alone.</param>
    /// <param name="scaleOverPicture">The factor of noise on the existing picture.</param>
    /// <param name="picture">The existing picture's latents; not read for noise alone.</param>
    /// <param name="latents">Receives the latents.</param>
    public void Write(
        ReadOnlySpan<float> noise, float scale, float scaleOverPicture, ReadOnlySpan<float> picture, Span<float> latents)
    {
        if (IsNoiseAlone) TensorPrimitives.Multiply(noise, scale, latents);
        else TensorPrimitives.MultiplyAdd(noise, scaleOverPicture, picture, latents);
    }
}
