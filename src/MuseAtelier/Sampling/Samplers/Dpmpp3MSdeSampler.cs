using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(3M) for the stochastic equation, one evaluation a step (k-diffusion sampling.py, sample_dpmpp_3m_sde with s_noise 1;
/// AUTOMATIC1111's "DPM++ 3M SDE"). The noise of each step is an increment of a Brownian motion, as in k-diffusion, or an independent
/// draw: <see cref="BrownianNoise.ServesMultistep"/>.
/// </summary>
/// <remarks>
/// With h = ln(sigma / sigmaNext), he = (1 + eta) h, D the denoised latents, D1 and D2 those of the two evaluations before, h1 and h2 the
/// steps after them, r0 = h1 / h, r1 = h2 / h, p2 = 1 - (1 - exp(-he)) / he and p3 = p2 / he - 1 / 2: d10 = (D - D1) / r0,
/// d11 = (D1 - D2) / r1, d1 = d10 + (d10 - d11) r0 / (r0 + r1), d2 = (d10 - d11) / (r0 + r1), and
/// x = exp(-he) x + (1 - exp(-he)) D + p2 d1 - p3 d2 + noise sigmaNext sqrt(1 - exp(-2 eta h)). The first step that runs leaves out d1 and
/// d2, the second one has p2 d10 for both, and the step to sigma 0 leads to D.
/// </remarks>
internal sealed class Dpmpp3MSdeSampler : Sampler
{
    private const int Kept = 2;

    // By the number of earlier evaluations that a step reads, then by the step.
    private readonly Coefficients[][] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public Dpmpp3MSdeSampler(SigmaSchedule schedule, double eta = 1)
        : base(OnePerStep(schedule, step => (float)SdeStep.Of(schedule, step, eta).Noise > 0 ? 1 : 0), Kept)
    {
        _steps = new Coefficients[Kept + 1][];
        for (int earlier = 0; earlier <= Kept; earlier++) _steps[earlier] = CoefficientsOf(schedule, eta, earlier);
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
        Span<float> earlier = state.History(evaluation.Step % Kept);
        Span<float> before = state.History((evaluation.Step + 1) % Kept);
        Coefficients step = _steps[Math.Min(EvaluatedBefore(evaluation), Kept)][evaluation.Step];
        TensorPrimitives.Multiply(state.Latents, step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, step.Denoised, state.Latents, state.Latents);
        if (step.Before != 0) TensorPrimitives.MultiplyAdd(before, step.Before, state.Latents, state.Latents);
        if (step.Earlier != 0) TensorPrimitives.MultiplyAdd(earlier, step.Earlier, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
        state.Denoised.CopyTo(earlier);
    }

    // The coefficients of all steps except the last one, which reads none.
    private static Coefficients[] CoefficientsOf(SigmaSchedule schedule, double eta, int earlier)
    {
        var steps = new Coefficients[schedule.Steps];
        double h1 = 0, h2 = 0;
        for (int step = 0; step < steps.Length - 1; step++)
        {
            SdeStep parts = SdeStep.Of(schedule, step, eta);
            (double now, double before, double beforeThat) =
                Corrections(parts.Length, earlier > 0 ? h1 : 0, earlier > 1 ? h2 : 0, eta);
            steps[step] = new Coefficients(
                (float)parts.Decay, (float)(1 - parts.Decay + now), (float)before, (float)beforeThat, (float)parts.Noise);
            h2 = h1;
            h1 = parts.Length;
        }

        return steps;
    }

    // What p2 d1 - p3 d2 adds to the factors of D, D1 and D2. A step between equal sigmas, of length 0, has no slope to continue.
    private static (double Now, double Before, double Earlier) Corrections(double h, double h1, double h2, double eta)
    {
        if (!(h > 0 && h1 > 0)) return (0, 0, 0);
        double he = (1 + eta) * h;
        double p2 = 1 - (1 - Math.Exp(-he)) / he;
        double r0 = h1 / h;
        if (!(h2 > 0)) return (p2 / r0, -p2 / r0, 0);
        double r1 = h2 / h;
        double p3 = p2 / he - 0.5;
        double bend = (p2 * r0 - p3) / (r0 + r1);
        return ((p2 + bend) / r0, -(p2 + bend) / r0 - bend / r1, bend / r1);
    }

    /// <summary>The factors of a step.</summary>
    /// <param name="Latents">Of the latents.</param>
    /// <param name="Denoised">Of the denoised latents.</param>
    /// <param name="Before">Of the denoised latents of the evaluation before; 0 in a step of first order.</param>
    /// <param name="Earlier">Of those of the evaluation before that one; 0 in a step of first or second order.</param>
    /// <param name="Noise">Of the fresh noise.</param>
    private readonly record struct Coefficients(float Latents, float Denoised, float Before, float Earlier, float Noise);
}
