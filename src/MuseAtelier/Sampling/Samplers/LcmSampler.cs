using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The sampler of latent consistency models (Luo et al., 2023, "Latent Consistency Models", algorithm 3): each step takes the denoised
/// latents and puts noise of the next level on them. Without a dialect of its own it is ComfyUI's and AUTOMATIC1111's (ComfyUI
/// k_diffusion/sampling.py, sample_lcm); with that of diffusers it is that of scheduling_lcm.py, LCMScheduler.step.
/// </summary>
/// <remarks>
/// x = F + noise sigmaNext, and F after the last step. ComfyUI's F is D. diffusers' F is c_out D + c_skip x / sqrt(sigma^2 + 1), with
/// s = 10 times the timestep, c_skip = 0.25 / (s^2 + 0.25) and c_out = s / sqrt(s^2 + 0.25).
/// </remarks>
internal sealed class LcmSampler : Sampler
{
    private const double TimestepScaling = 10;
    private const double SigmaData = 0.5;

    private readonly float[] _latents;
    private readonly float[] _denoised;
    private readonly float[] _noiseScales;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="dialect">The program whose form is used.</param>
    public LcmSampler(SigmaSchedule schedule, SamplingDialect dialect)
        : base(OnePerStep(schedule, step => schedule.Sigmas[step + 1] > 0 ? 1 : 0))
    {
        _latents = new float[schedule.Steps];
        _denoised = new float[schedule.Steps];
        _noiseScales = schedule.Sigmas[1..].ToArray();
        for (int step = 0; step < schedule.Steps; step++)
        {
            double sigma = schedule.Sigmas[step];
            double scaled = schedule.TrainedPlace(step) * TimestepScaling;
            double norm = scaled * scaled + SigmaData * SigmaData;
            bool isDiffusers = dialect == SamplingDialect.Diffusers;
            _latents[step] = isDiffusers ? (float)(SigmaData * SigmaData / norm / Math.Sqrt(sigma * sigma + 1)) : 0;
            _denoised[step] = isDiffusers ? (float)(scaled / Math.Sqrt(norm)) : 1;
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
}
