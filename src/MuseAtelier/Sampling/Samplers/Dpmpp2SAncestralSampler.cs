using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(2S) with ancestral noise (k-diffusion sampling.py, sample_dpmpp_2s_ancestral; Lu et al., 2022,
/// "DPM-Solver++", algorithm 1; AUTOMATIC1111's "DPM++ 2S a"). The step to sigma 0 has one evaluation and no noise.
/// </summary>
/// <remarks>
/// With t = -ln(sigma), h = t(sigmaDown) - t and sigmaMid = exp(-(t + h / 2)): x2 = exp(-h / 2) x - (exp(-h / 2) - 1) D(x, sigma), and
/// x = exp(-h) x - (exp(-h) - 1) D(x2, sigmaMid) + noise sigmaUp.
/// </remarks>
internal sealed class Dpmpp2SAncestralSampler : Sampler
{
    private readonly Coefficients[] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public Dpmpp2SAncestralSampler(SigmaSchedule schedule, double eta = 1)
        : base(
            TwoPerStep(schedule, step => Middle(schedule, step, eta), step => (float)AncestralStep.Of(schedule, step, eta).Up > 0 ? 1 : 0),
            history: 1)
    {
        _steps = new Coefficients[schedule.Steps];
        for (int step = 0; step < _steps.Length; step++)
        {
            AncestralStep parts = AncestralStep.Of(schedule, step, eta);
            double half = Middle(schedule, step, eta) / schedule.Sigmas[step];
            double whole = parts.Down / schedule.Sigmas[step];
            _steps[step] = new Coefficients((float)half, (float)(1 - half), (float)whole, (float)(1 - whole), (float)parts.Up);
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        Coefficients step = _steps[evaluation.Step];
        if (IsFirstOfStep(evaluation))
        {
            state.Latents.CopyTo(state.History());
            TensorPrimitives.Multiply(state.Latents, step.HalfLatents, state.Latents);
            TensorPrimitives.MultiplyAdd(state.Denoised, step.HalfDenoised, state.Latents, state.Latents);
            return;
        }

        TensorPrimitives.Multiply(state.History(), step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, step.Denoised, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
    }

    private static double Middle(SigmaSchedule schedule, int step, double eta) =>
        Math.Sqrt(schedule.Sigmas[step] * AncestralStep.Of(schedule, step, eta).Down);

    /// <summary>The factors of a step.</summary>
    /// <param name="HalfLatents">Of the latents, on the way to the second evaluation: exp(-h / 2).</param>
    /// <param name="HalfDenoised">Of the denoised latents, on that way.</param>
    /// <param name="Latents">Of the latents at the start of the step: exp(-h).</param>
    /// <param name="Denoised">Of the denoised latents of the second evaluation.</param>
    /// <param name="Noise">Of the fresh noise: sigmaUp.</param>
    private readonly record struct Coefficients(float HalfLatents, float HalfDenoised, float Latents, float Denoised, float Noise);
}
