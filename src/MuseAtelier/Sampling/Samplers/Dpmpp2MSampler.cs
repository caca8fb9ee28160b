using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++(2M): second order in log sigma by the denoised latents of two evaluations, one evaluation a step (Lu et al., 2022,
/// "DPM-Solver++", algorithm 2; k-diffusion sampling.py, sample_dpmpp_2m; AUTOMATIC1111's "DPM++ 2M"). Draws no noise after the start.
/// </summary>
/// <remarks>
/// With h = ln(sigma / sigmaNext), r = hLast / h, D the denoised latents and D' those of the evaluation before:
/// x = (sigmaNext / sigma) x + (1 - sigmaNext / sigma) ((1 + 1 / (2 r)) D - 1 / (2 r) D'). The first step that runs and the step to sigma 0
/// are of first order: r is infinite. diffusers' DPMSolverMultistepScheduler (scheduling_dpmsolver_multistep.py, dpmsolver++, midpoint,
/// order 2) computes the same from the same noise levels: with the last sigma 0, its lower_order_final and euler_at_final change nothing.
/// </remarks>
internal sealed class Dpmpp2MSampler : Sampler
{
    private readonly Coefficients[] _steps;

    /// <summary>Computes the coefficients of every step.</summary>
    public Dpmpp2MSampler(SigmaSchedule schedule) : base(OnePerStep(schedule), history: 1)
    {
        _steps = new Coefficients[schedule.Steps];
        double hLast = 0;
        for (int step = 0; step < _steps.Length; step++)
        {
            double ratio = (double)schedule.Sigmas[step + 1] / schedule.Sigmas[step];
            double h = -Math.Log(ratio);
            // hLast is 0 in the first step, and after a step between equal sigmas, which has no slope to continue.
            double half = hLast > 0 && double.IsFinite(h) ? h / hLast / 2 : 0;
            double gain = 1 - ratio;
            _steps[step] = new Coefficients((float)ratio, (float)gain, (float)(gain * (1 + half)), (float)(-gain * half));
            hLast = h;
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        Coefficients step = _steps[evaluation.Step];
        bool isFirst = EvaluatedBefore(evaluation) == 0;
        TensorPrimitives.Multiply(state.Latents, step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, isFirst ? step.Gain : step.Denoised, state.Latents, state.Latents);
        if (!isFirst && step.Before != 0) TensorPrimitives.MultiplyAdd(state.History(), step.Before, state.Latents, state.Latents);
        state.Denoised.CopyTo(state.History());
    }

    /// <summary>The factors of a step.</summary>
    /// <param name="Latents">Of the latents.</param>
    /// <param name="Gain">Of the denoised latents in a step of first order.</param>
    /// <param name="Denoised">Of the denoised latents.</param>
    /// <param name="Before">Of the denoised latents of the evaluation before; 0 in a step of first order.</param>
    private readonly record struct Coefficients(float Latents, float Gain, float Denoised, float Before);
}
