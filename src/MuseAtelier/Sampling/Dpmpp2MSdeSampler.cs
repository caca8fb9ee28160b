using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(2M) for the stochastic equation, one evaluation a step (k-diffusion sampling.py, sample_dpmpp_2m_sde with eta 1 and
/// s_noise 1; Lu et al., 2022, "DPM-Solver++"; AUTOMATIC1111's "DPM++ 2M SDE" and "DPM++ 2M SDE Heun"). The noise of each step is an
/// increment of a Brownian motion, as in k-diffusion, or an independent draw, as in diffusers (scheduling_dpmsolver_multistep.py,
/// sde-dpmsolver++): <see cref="BrownianNoise.ServesMultistep"/>.
/// </summary>
/// <remarks>
/// With h = ln(sigma / sigmaNext), r = hLast / h, D the denoised latents and D' those of the evaluation before:
/// x = exp(-2 h) x + (1 - exp(-2 h)) D + c (D - D') / r + noise sigmaNext sqrt(1 - exp(-2 h)), where c is (1 - exp(-2 h)) / 2 by the
/// midpoint, and 1 - (1 - exp(-2 h)) / (2 h) by Heun. The first step is of first order, and the step to sigma 0 leads to D.
/// </remarks>
internal sealed class Dpmpp2MSdeSampler : Sampler
{
    private readonly Coefficients[] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="isHeun">Whether the second order is Heun's; otherwise it is the midpoint's.</param>
    public Dpmpp2MSdeSampler(SigmaSchedule schedule, bool isHeun)
        : base(OnePerStep(schedule, step => (float)NoiseScale(schedule, step) > 0 ? 1 : 0), history: 1)
    {
        _steps = new Coefficients[schedule.Steps];
        double hLast = 0;
        for (int step = 0; step < _steps.Length - 1; step++)
        {
            double ratio = (double)schedule.Sigmas[step + 1] / schedule.Sigmas[step];
            double h = -Math.Log(ratio);
            double gain = 1 - ratio * ratio;
            // hLast is 0 in the first step, and after a step between equal sigmas, which has no slope to continue.
            double correction = 0;
            if (hLast > 0 && h > 0) correction = (isHeun ? 1 - gain / (2 * h) : gain / 2) * h / hLast;
            _steps[step] = new Coefficients(
                (float)(ratio * ratio), (float)(gain + correction), (float)-correction, (float)NoiseScale(schedule, step));
            hLast = h;
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

        Coefficients step = _steps[evaluation.Step];
        TensorPrimitives.Multiply(state.Latents, step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, step.Denoised, state.Latents, state.Latents);
        if (step.Before != 0) TensorPrimitives.MultiplyAdd(state.History(), step.Before, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
        state.Denoised.CopyTo(state.History());
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
    /// <param name="Noise">Of the fresh noise.</param>
    private readonly record struct Coefficients(float Latents, float Denoised, float Before, float Noise);
}
