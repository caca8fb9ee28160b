using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>The latents at which denoising begins: noise alone, or an existing picture with noise on it.</summary>
internal sealed class InitialLatents
{
    private readonly ReadOnlyMemory<float> _encoded;
    private readonly float _strength;

    private InitialLatents(ReadOnlyMemory<float> encoded, float strength)
    {
        _encoded = encoded;
        _strength = strength;
    }

    /// <summary>Noise alone.</summary>
    public static InitialLatents Noise { get; } = new(default, 1);

    /// <summary>An existing picture.</summary>
    /// <param name="latents">[4, h, w] fp32, in the scale of the UNet; the same for all pictures of a batch.</param>
    /// <param name="strength">The share of the steps that are run, above 0 and up to 1.</param>
    public static InitialLatents Encoded(ReadOnlyMemory<float> latents, float strength)
    {
        if (!(strength is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(strength), strength, "The strength is above 0 and at most 1.");
        return new InitialLatents(latents, strength);
    }

    /// <summary>
    /// Index of the first evaluation that is run. Runs the last steps * strength steps, rounded down, but at least one (diffusers
    /// pipeline_stable_diffusion_xl_img2img.py, get_timesteps).
    /// </summary>
    public int FirstEvaluation(ReadOnlySpan<Evaluation> evaluations)
    {
        if (_encoded.IsEmpty) return 0;
        int steps = evaluations[^1].Step + 1;
        int firstStep = steps - Math.Clamp((int)(steps * _strength), 1, steps);
        int first = 0;
        while (evaluations[first].Step < firstStep) first++;
        return first;
    }

    /// <summary>Writes the latents of a picture.</summary>
    /// <param name="noise">Standard normal noise.</param>
    /// <param name="noiseScale">The factor of noise alone.</param>
    /// <param name="sigma">The noise level of the first evaluation that is run.</param>
    /// <param name="latents">Receives the latents.</param>
    public void Write(ReadOnlySpan<float> noise, float noiseScale, float sigma, Span<float> latents)
    {
        if (_encoded.IsEmpty) TensorPrimitives.Multiply(noise, noiseScale, latents);
        else TensorPrimitives.MultiplyAdd(noise, sigma, _encoded.Span, latents);
    }
}
