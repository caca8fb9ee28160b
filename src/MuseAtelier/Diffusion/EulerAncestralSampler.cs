using System.Numerics.Tensors;

namespace MuseAtelier.Diffusion;

/// <summary>
/// Euler's method with ancestral noise (k-diffusion sampling.py, sample_euler_ancestral) for epsilon prediction: the
/// arithmetic alone, on borrowed spans, without allocating. Which picture is being painted is the caller's business.
/// </summary>
internal sealed class EulerAncestralSampler
{
    private readonly SigmaSchedule _schedule;
    private readonly float[] _slopes;
    private readonly float[] _noiseScales;

    public EulerAncestralSampler(SigmaSchedule schedule)
    {
        _schedule = schedule;
        _slopes = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int i = 0; i < schedule.Steps; i++)
        {
            double from = schedule.Sigmas[i], to = schedule.Sigmas[i + 1];
            // Rounding could carry sigmaUp past sigmaTo, whose sigmaDown would then not be a number.
            double sigmaUp = Math.Min(to, Math.Sqrt(to * to * Math.Max(0, from * from - to * to) / (from * from)));
            double sigmaDown = Math.Sqrt(to * to - sigmaUp * sigmaUp);
            _slopes[i] = (float)(sigmaDown - from);
            _noiseScales[i] = (float)sigmaUp;
        }
    }

    /// <summary>Whether a step adds noise; the last one does not, and its noise may be empty.</summary>
    public bool AddsNoise(int step) => _noiseScales[step] > 0;

    /// <summary>Turns standard normal noise into the initial latents, in place.</summary>
    public void ScaleInitialNoiseInPlace(Span<float> noise) => TensorPrimitives.Multiply(noise, _schedule.InitialNoiseScale, noise);

    /// <summary>Brings latents to the variance that the UNet was trained on: divides by sqrt(sigma^2 + 1).</summary>
    /// <param name="latents">The latents; borrowed.</param>
    /// <param name="sigma">Their noise level.</param>
    /// <param name="output">As long as <paramref name="latents"/>; may be the same span.</param>
    public static void ScaleInput(ReadOnlySpan<float> latents, float sigma, Span<float> output) =>
        TensorPrimitives.Divide(latents, MathF.Sqrt(sigma * sigma + 1), output);

    /// <summary>Classifier-free guidance: unconditional + scale * (conditional - unconditional).</summary>
    /// <param name="unconditional">The prediction for the negative prompt; borrowed.</param>
    /// <param name="conditional">The prediction for the prompt; borrowed.</param>
    /// <param name="scale">The guidance scale.</param>
    /// <param name="output">As long as the predictions; may be <paramref name="conditional"/>, must not overlap
    /// <paramref name="unconditional"/>.</param>
    public static void Guide(ReadOnlySpan<float> unconditional, ReadOnlySpan<float> conditional, float scale, Span<float> output)
    {
        if (unconditional.Overlaps(output))
            throw new ArgumentException("The output would overwrite the unconditional prediction, which is read twice.", nameof(output));
        TensorPrimitives.Subtract(conditional, unconditional, output);
        TensorPrimitives.MultiplyAdd(output, scale, unconditional, output);
    }

    /// <summary>The picture that a prediction amounts to: latents - sigma * prediction.</summary>
    /// <param name="latents">The latents before the step; borrowed.</param>
    /// <param name="prediction">The guided noise prediction; borrowed.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="output">As long as <paramref name="latents"/>; may be either of them.</param>
    public void Denoise(ReadOnlySpan<float> latents, ReadOnlySpan<float> prediction, int step, Span<float> output) =>
        TensorPrimitives.MultiplyAdd(prediction, -_schedule.Sigmas[step], latents, output);

    /// <summary>One step, in place: latents + prediction * (sigmaDown - sigma) + noise * sigmaUp.</summary>
    /// <param name="latents">The latents; overwritten.</param>
    /// <param name="prediction">The guided noise prediction, which is (latents - denoised) / sigma; borrowed.</param>
    /// <param name="noise">Standard normal noise of the step; not read where <see cref="AddsNoise"/> says no; borrowed.</param>
    /// <param name="step">The step, from 0.</param>
    public void Step(Span<float> latents, ReadOnlySpan<float> prediction, ReadOnlySpan<float> noise, int step)
    {
        TensorPrimitives.MultiplyAdd(prediction, _slopes[step], latents, latents);
        if (AddsNoise(step))
            TensorPrimitives.MultiplyAdd(noise, _noiseScales[step], latents, latents);
    }
}
