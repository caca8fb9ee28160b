using System.Numerics.Tensors;

namespace MuseAtelier.Diffusion;

/// <summary>
/// Euler ancestral (k-diffusion, sample_euler_ancestral): a step towards the denoised picture, further than the next noise level asks,
/// and fresh noise up to it. Arithmetic on borrowed spans; nothing is allocated.
/// </summary>
internal sealed class EulerAncestralSampler(SigmaSchedule schedule)
{
    private readonly float[] _sigmas = schedule.Sigmas;

    /// <summary>Standard normal noise to the first latents, in place.</summary>
    public void Start(Span<float> latents) => TensorPrimitives.Multiply(latents, schedule.InitialNoise, latents);

    /// <summary>latents / sqrt(sigma^2 + 1): what the network reads.</summary>
    public void ScaleInput(int step, ReadOnlySpan<float> latents, Span<float> input) =>
        TensorPrimitives.Divide(latents, MathF.Sqrt(_sigmas[step] * _sigmas[step] + 1), input);

    /// <summary>uncond + scale (cond - uncond). The result may lie where uncond lies.</summary>
    public static void Guide(ReadOnlySpan<float> uncond, Span<float> cond, float scale, Span<float> result)
    {
        TensorPrimitives.Subtract(cond, uncond, cond);
        TensorPrimitives.MultiplyAdd(cond, scale, uncond, result);
    }

    /// <summary>Whether a step adds noise; the last does not.</summary>
    public bool NeedsNoise(int step) => _sigmas[step + 1] > 0;

    /// <summary>One step, in place.</summary>
    /// <param name="step">Which, from 0.</param>
    /// <param name="latents">Latents at the step's sigma; afterwards at the next.</param>
    /// <param name="prediction">The predicted noise; overwritten.</param>
    /// <param name="noise">Standard normal noise, unused in the last step.</param>
    public void Step(int step, Span<float> latents, Span<float> prediction, ReadOnlySpan<float> noise)
    {
        double from = _sigmas[step], to = _sigmas[step + 1];
        double up = Math.Min(to, Math.Sqrt(to * to * (from * from - to * to) / (from * from)));
        double down = Math.Sqrt(to * to - up * up);

        // The derivative (x - x0) / sigma is the predicted noise itself.
        TensorPrimitives.MultiplyAdd(prediction, (float)(down - from), latents, latents);
        if (to > 0) TensorPrimitives.MultiplyAdd(noise, (float)up, latents, latents);
    }
}
