using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(2M) for the stochastic equation, one evaluation a step (k-diffusion sampling.py, sample_dpmpp_2m_sde with s_noise 1;
/// Lu et al., 2022, "DPM-Solver++"; AUTOMATIC1111's "DPM++ 2M SDE" and "DPM++ 2M SDE Heun"). By the midpoint and with eta 1 it is that of
/// diffusers too (scheduling_dpmsolver_multistep.py, sde-dpmsolver++). The noise of each step is an increment of a Brownian motion, as in
/// k-diffusion, or an independent draw, as in diffusers: <see cref="BrownianNoise.ServesMultistep"/>.
/// </summary>
/// <remarks>
/// With h = ln(sigma / sigmaNext), he = (1 + eta) h, r = hLast / h, D the denoised latents and D' those of the evaluation before:
/// x = exp(-he) x + (1 - exp(-he)) D + c (D - D') / r + noise sigmaNext sqrt(1 - exp(-2 eta h)), where c is (1 - exp(-he)) / 2 by the
/// midpoint, and 1 - (1 - exp(-he)) / he by Heun. The first step that runs is of first order, and the step to sigma 0 leads to D.
/// </remarks>
internal sealed class Dpmpp2MSdeSampler : Sampler
{
    private readonly Coefficients[] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="isHeun">Whether the second order is Heun's; otherwise it is the midpoint's.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public Dpmpp2MSdeSampler(SigmaSchedule schedule, bool isHeun, double eta = 1)
        : base(OnePerStep(schedule, step => (float)SdeStep.Of(schedule, step, eta).Noise > 0 ? 1 : 0), history: 1)
    {
        _steps = new Coefficients[schedule.Steps];
        double hLast = 0;
        for (int step = 0; step < _steps.Length - 1; step++)
        {
            SdeStep parts = SdeStep.Of(schedule, step, eta);
            double h = parts.Length;
            double gain = 1 - parts.Decay;
            // hLast is 0 in the first step, and after a step between equal sigmas, which has no slope to continue.
            double correction = 0;
            if (hLast > 0 && h > 0) correction = (isHeun ? 1 - gain / ((1 + eta) * h) : gain / 2) * h / hLast;
            _steps[step] = new Coefficients(
                (float)parts.Decay, (float)gain, (float)(gain + correction), (float)-correction, (float)parts.Noise);
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
        bool isFirst = EvaluatedBefore(evaluation) == 0;
        TensorPrimitives.Multiply(state.Latents, step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, isFirst ? step.Gain : step.Denoised, state.Latents, state.Latents);
        if (!isFirst && step.Before != 0) TensorPrimitives.MultiplyAdd(state.History(), step.Before, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
        state.Denoised.CopyTo(state.History());
    }

    /// <summary>The factors of a step.</summary>
    /// <param name="Latents">Of the latents.</param>
    /// <param name="Gain">Of the denoised latents in a step of first order.</param>
    /// <param name="Denoised">Of the denoised latents.</param>
    /// <param name="Before">Of the denoised latents of the evaluation before; 0 in a step of first order.</param>
    /// <param name="Noise">Of the fresh noise.</param>
    private readonly record struct Coefficients(float Latents, float Gain, float Denoised, float Before, float Noise);
}
