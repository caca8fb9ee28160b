using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DDPM (Ho et al., 2020, algorithm 2 with the posterior variance of equation 7; diffusers scheduling_ddpm.py, DDPMScheduler.step with
/// fixed_small; ComfyUI k_diffusion/sampling.py, DDPMSampler_step).
/// </summary>
/// <remarks>
/// With alpha = 1 / (sigma^2 + 1), the mean of the posterior for x at the scale of sigmas is D + (sigmaNext^2 / sigma^2) (x - D), and its
/// deviation sigmaNext sqrt(1 - sigmaNext^2 / sigma^2): the step of <see cref="EulerAncestralSampler"/> with eta 1. The last step leads to
/// D; diffusers adds noise of deviation 1e-10 there, which rounding removes. diffusers takes the timestep before from a fixed distance,
/// which differs from the schedule's next one where the number of steps does not divide 1000 and the spacing is not leading.
/// </remarks>
internal sealed class DdpmSampler : Sampler
{
    private readonly float[] _latents;
    private readonly float[] _denoised;
    private readonly float[] _noiseScales;

    /// <summary>Computes the coefficients of every step.</summary>
    public DdpmSampler(SigmaSchedule schedule) : base(OnePerStep(schedule, step => (float)NoiseScale(schedule, step) > 0 ? 1 : 0))
    {
        _latents = new float[schedule.Steps];
        _denoised = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            double share = Share(schedule, step);
            _latents[step] = (float)share;
            _denoised[step] = (float)(1 - share);
            _noiseScales[step] = (float)NoiseScale(schedule, step);
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        int step = evaluation.Step;
        TensorPrimitives.Multiply(state.Latents, _latents[step], state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, _denoised[step], state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), _noiseScales[step], state.Latents, state.Latents);
    }

    private static double Share(SigmaSchedule schedule, int step)
    {
        double ratio = (double)schedule.Sigmas[step + 1] / schedule.Sigmas[step];
        return ratio * ratio;
    }

    private static double NoiseScale(SigmaSchedule schedule, int step) => schedule.Sigmas[step + 1] * Math.Sqrt(1 - Share(schedule, step));
}
