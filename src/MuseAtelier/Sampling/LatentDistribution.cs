using System.Numerics.Tensors;
using MuseAtelier.Decoding;

namespace MuseAtelier.Sampling;

/// <summary>
/// The latents of an existing picture, in the scale of the UNet: those that are given, or the encoder's normal distribution, from which
/// each picture of a batch draws its own (diffusers, models/autoencoders/vae.py, DiagonalGaussianDistribution).
/// </summary>
internal sealed class LatentDistribution
{
    private const float LeastLogVariance = -30;
    private const float MostLogVariance = 20;

    private readonly ReadOnlyMemory<float> _mean;
    private readonly ReadOnlyMemory<float> _deviation;

    private LatentDistribution(ReadOnlyMemory<float> mean, ReadOnlyMemory<float> deviation) => (_mean, _deviation) = (mean, deviation);

    /// <summary>The numbers of the latents.</summary>
    public int Length => _mean.Length;

    /// <summary>Whether latents are drawn from it; otherwise they are the mean.</summary>
    public bool IsDrawn => !_deviation.IsEmpty;

    /// <summary>The same distribution without its deviation.</summary>
    public LatentDistribution Mean => new(_mean, default);

    /// <summary>Latents that are given.</summary>
    /// <param name="latents">[4, h, w] fp32, in the scale of the UNet.</param>
    public static LatentDistribution Of(ReadOnlyMemory<float> latents) => new(latents, default);

    /// <summary>The distribution that an encoder computed.</summary>
    /// <param name="mean">[4, h, w] fp32, before the latent scale; owned by the distribution from then on.</param>
    /// <param name="logVariance">[4, h, w] fp32, before the latent scale; owned by the distribution from then on.</param>
    /// <param name="scale">The latent scale.</param>
    /// <param name="format">The scale of latents that is not SDXL's; null for SDXL's.</param>
    public static LatentDistribution OfEncoder(float[] mean, float[] logVariance, float scale, LatentFormat? format)
    {
        TensorPrimitives.Multiply(mean, scale, mean);
        Span<float> deviation = logVariance;
        foreach (ref float value in deviation) value = MathF.Exp(0.5f * Math.Clamp(value, LeastLogVariance, MostLogVariance));
        TensorPrimitives.Multiply(deviation, scale, deviation);
        format?.FromSdxl(mean, deviation);
        return new LatentDistribution(mean, logVariance);
    }

    /// <summary>Writes latents: mean + deviation * normal. Allocates nothing.</summary>
    /// <param name="normal">Standard normal numbers; not read where nothing is drawn.</param>
    /// <param name="latents">Receives the latents; may be the same span as <paramref name="normal"/>.</param>
    public void Write(ReadOnlySpan<float> normal, Span<float> latents)
    {
        if (IsDrawn) TensorPrimitives.MultiplyAdd(_deviation.Span, normal, _mean.Span, latents);
        else _mean.Span.CopyTo(latents);
    }
}
