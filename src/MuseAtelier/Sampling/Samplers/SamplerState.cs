using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>
/// The numbers of one picture after an evaluation of the UNet. All spans hold fp32 values of shape [4, Height/8, Width/8], NCHW. The
/// denoising loop owns the memory; it is valid only during <see cref="Sampler.Advance"/>.
/// </summary>
[Experimental(Experiments.Sampling)]
public readonly ref struct SamplerState
{
    private readonly ReadOnlySpan<float> _noise;
    private readonly Span<float> _history;

    /// <summary>Describes the numbers of one picture; for the denoising loop, and for tests of samplers.</summary>
    /// <param name="latents">The latents: see <see cref="Latents"/>.</param>
    /// <param name="denoised">As long as <paramref name="latents"/>: see <see cref="Denoised"/>.</param>
    /// <param name="epsilon">As long as <paramref name="latents"/>: see <see cref="Epsilon"/>.</param>
    /// <param name="noise">All draws of noise, one after the other, each as long as <paramref name="latents"/>.</param>
    /// <param name="history">All buffers of the sampler, one after the other, each as long as <paramref name="latents"/>.</param>
    /// <exception cref="ArgumentException">A length differs.</exception>
    public SamplerState(
        Span<float> latents,
        ReadOnlySpan<float> denoised,
        ReadOnlySpan<float> epsilon,
        ReadOnlySpan<float> noise = default,
        Span<float> history = default)
    {
        if (denoised.Length != latents.Length || epsilon.Length != latents.Length)
            throw new ArgumentException("The latents, the denoised latents and the noise prediction must have the same length.");
        if (latents.IsEmpty || noise.Length % latents.Length != 0 || history.Length % latents.Length != 0)
            throw new ArgumentException("Noise and history must consist of whole buffers of the latents' length.");
        Latents = latents;
        Denoised = denoised;
        Epsilon = epsilon;
        _noise = noise;
        _history = history;
    }

    /// <summary>
    /// The latents at the evaluation's sigma: x in k-diffusion's samplers, clean latents plus sigma times noise. The sampler replaces
    /// them by the latents for the next evaluation, and after the last evaluation by the result.
    /// </summary>
    public Span<float> Latents { get; }

    /// <summary>The clean latents that the guided prediction amounts to: D(x, sigma), k-diffusion's <c>denoised</c>.</summary>
    public ReadOnlySpan<float> Denoised { get; }

    /// <summary>
    /// The guided prediction of the noise: (x - D(x, sigma)) / sigma, which k-diffusion's <c>to_d</c> computes. For a model that predicts
    /// noise it is the UNet's output itself, without a rounding error of its own.
    /// </summary>
    public ReadOnlySpan<float> Epsilon { get; }

    /// <summary>Standard normal noise that was drawn for this evaluation.</summary>
    /// <param name="draw">The draw, from 0 up to the evaluation's <see cref="Evaluation.NoiseDraws"/>.</param>
    public ReadOnlySpan<float> Noise(int draw = 0) => _noise.Slice(draw * Latents.Length, Latents.Length);

    /// <summary>
    /// A buffer of the sampler for this picture, which keeps its values until the picture is finished. Its first values are undefined.
    /// </summary>
    /// <param name="index">The buffer, from 0 up to the sampler's <see cref="Sampler.History"/>.</param>
    public Span<float> History(int index = 0) => _history.Slice(index * Latents.Length, Latents.Length);
}
