namespace MuseAtelier.Sampling;

/// <summary>The factor by which standard normal noise is multiplied before the first evaluation.</summary>
internal static class InitialNoise
{
    // ComfyUI comfy/samplers.py, KSAMPLER.max_denoise.
    private const double Tolerance = 1e-5;

    /// <summary>
    /// The factor of a dialect, with s for the first noise level of the schedule. diffusers: the scheduler's init_noise_sigma, which is
    /// <see cref="SigmaSchedule.InitialNoiseScale"/>, and sqrt(s^2 + 1) for models of the EDM formulation (scheduling_edm_euler.py).
    /// AUTOMATIC1111: s (modules/sd_samplers_kdiffusion.py), and sqrt(s^2 + 1) for DDIM and UniPC, which begin with noise of variance 1
    /// (modules/sd_samplers_timesteps.py). ComfyUI: sqrt(s^2 + 1) if s is the largest trained level or above it, else s
    /// (comfy/model_sampling.py, EPS.noise_scaling).
    /// </summary>
    /// <param name="dialect">The dialect.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="trained">The levels that the model was trained on.</param>
    public static float ScaleOf(SamplingDialect dialect, SigmaSchedule schedule, TrainedSchedule trained)
    {
        float sigma = schedule.Sigmas[0];
        bool hasPicture = dialect switch
        {
            SamplingDialect.Comfy => sigma >= trained.ExactSigmas[^1] * (1 - Tolerance),
            SamplingDialect.A1111 => false,
            _ => trained.IsContinuous,
        };
        if (hasPicture) return (float)Math.Sqrt((double)sigma * sigma + 1);
        return dialect == SamplingDialect.Comfy ? sigma : schedule.InitialNoiseScale;
    }
}
