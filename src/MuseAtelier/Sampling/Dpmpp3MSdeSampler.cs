using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(3M) for the stochastic equation, one evaluation a step (k-diffusion sampling.py, sample_dpmpp_3m_sde with eta 1 and
/// s_noise 1; AUTOMATIC1111's "DPM++ 3M SDE"). The noise of each step is an increment of a Brownian motion, as in
/// k-diffusion, or an independent draw: <see cref="BrownianNoise.ServesMultistep"/>.
/// </summary>
/// <remarks>
/// With h = ln(sigma / sigmaNext), D the denoised latents, D1 and D2 those of the two evaluations before, h1 and h2 the steps after them,
/// r0 = h1 / h, r1 = h2 / h, p2 = 1 - (1 - exp(-2 h)) / (2 h) and p3 = p2 / (2 h) - 1 / 2: d10 = (D - D1) / r0, d11 = (D1 - D2) / r1,
/// d1 = d10 + (d10 - d11) r0 / (r0 + r1), d2 = (d10 - d11) / (r0 + r1), and
/// x = exp(-2 h) x + (1 - exp(-2 h)) D + p2 d1 - p3 d2 + noise sigmaNext sqrt(1 - exp(-2 h)). The first step leaves out d1 and d2, the
/// second one has p2 d10 for both, and the step to sigma 0 leads to D.
/// </remarks>
internal sealed class Dpmpp3MSdeSampler : Sampler
{
    private readonly Coefficients[] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    public Dpmpp3MSdeSampler(SigmaSchedule schedule)
        : base(OnePerStep(schedule, step => (float)NoiseScale(schedule, step) > 0 ? 1 : 0), history: 2)
    {
        _steps = new Coefficients[schedule.Steps];
        double h1 = 0, h2 = 0;
        for (int step = 0; step < _steps.Length - 1; step++)
        {
            double ratio = (double)schedule.Sigmas[step + 1] / schedule.Sigmas[step];
            double h = -Math.Log(ratio);
            (double now, double before, double earlier) = Corrections(h, h1, h2);
            _steps[step] = new Coefficients(
                (float)(ratio * ratio),
                (float)(1 - ratio * ratio + now),
                (float)before,
                (float)earlier,
                (float)NoiseScale(schedule, step));
            h2 = h1;
            h1 = h;
        }
    }

    /// <inheritdoc/>
    public override StepNoise StepNoise => StepNoise.BrownianMultistep;

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        // The denoised latents of the two evaluations before, in a ring.
        Span<float> earlier = state.History(evaluation.Step % 2);
        Span<float> before = state.History((evaluation.Step + 1) % 2);
        Coefficients step = _steps[evaluation.Step];
        TensorPrimitives.Multiply(state.Latents, step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, step.Denoised, state.Latents, state.Latents);
        if (step.Before != 0) TensorPrimitives.MultiplyAdd(before, step.Before, state.Latents, state.Latents);
        if (step.Earlier != 0) TensorPrimitives.MultiplyAdd(earlier, step.Earlier, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
        state.Denoised.CopyTo(earlier);
    }

    // What p2 d1 - p3 d2 adds to the factors of D, D1 and D2. A step between equal sigmas, of length 0, has no slope to continue.
    private static (double Now, double Before, double Earlier) Corrections(double h, double h1, double h2)
    {
        if (!(h > 0 && h1 > 0)) return (0, 0, 0);
        double p2 = 1 - (1 - Math.Exp(-2 * h)) / (2 * h);
        double r0 = h1 / h;
        if (!(h2 > 0)) return (p2 / r0, -p2 / r0, 0);
        double r1 = h2 / h;
        double p3 = p2 / (2 * h) - 0.5;
        double bend = (p2 * r0 - p3) / (r0 + r1);
        return ((p2 + bend) / r0, -(p2 + bend) / r0 - bend / r1, bend / r1);
    }

    private static double NoiseScale(SigmaSchedule schedule, int step)
    {
        double ratio = (double)schedule.Sigmas[step + 1] / schedule.Sigmas[step];
        return schedule.Sigmas[step + 1] * Math.Sqrt(1 - ratio * ratio);
    }

    /// <summary>The factors of a step.</summary>
    /// <param name="Latents">Of the latents.</param>
    /// <param name="Denoised">Of the denoised latents.</param>
    /// <param name="Before">Of the denoised latents of the evaluation before; 0 in a step of first order.</param>
    /// <param name="Earlier">Of those of the evaluation before that one; 0 in a step of first or second order.</param>
    /// <param name="Noise">Of the fresh noise.</param>
    private readonly record struct Coefficients(float Latents, float Denoised, float Before, float Earlier, float Noise);
}
