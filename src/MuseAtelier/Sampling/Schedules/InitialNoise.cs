namespace MuseAtelier.Sampling;

/// <summary>The factor by which standard normal noise is multiplied before the first evaluation.</summary>
internal static class InitialNoise
{
    // ComfyUI comfy/samplers.py, KSAMPLER.max_denoise.
    private const double Tolerance = 1e-5;

    /// <summary>
    /// The factor of a dialect, with s for the first noise level of the schedule. diffusers: the scheduler's init_noise_sigma, which is
    /// sqrt(s^2 + 1) with leading spacing, in schedulers that scale the latents to a variance of 1, and for models of the EDM formulation
    /// (scheduling_edm_euler.py), else s. AUTOMATIC1111: s (modules/sd_samplers_kdiffusion.py), and sqrt(s^2 + 1) for UniPC
    /// (modules/sd_samplers_timesteps.py). ComfyUI: sqrt(s^2 + 1) if s is the largest trained level or above it, else s
    /// (comfy/model_sampling.py, EPS.noise_scaling).
    /// </summary>
    /// <param name="choice">The schedule and the dialect.</param>
    /// <param name="spacing">The spacing of the schedule; not automatic.</param>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="sigma">The first noise level of the schedule.</param>
    public static float ScaleOf(ScheduleChoice choice, TimestepSpacing spacing, TrainedSchedule trained, float sigma) =>
        choice.Dialect switch
        {
            SamplingDialect.Comfy => sigma >= trained.ExactSigmas[^1] * (1 - Tolerance) ? ExactlyWithPicture(sigma) : sigma,
            SamplingDialect.A1111 => choice.BeginsWithUnitVariance ? WithPicture(sigma) : sigma,
            _ when trained.IsContinuous => ExactlyWithPicture(sigma),
            _ => choice.IsMultistep || spacing is TimestepSpacing.Leading or TimestepSpacing.Lcm ? WithPicture(sigma) : sigma,
        };

    /// <summary>
    /// sqrt(s^2 + 1), computed in fp32: with this factor the noise has the variance of noise and latents together.
    /// </summary>
    /// <param name="sigma">The noise level s.</param>
    public static float WithPicture(float sigma) => MathF.Sqrt(sigma * sigma + 1);

    // The same in double precision, which may differ in the last bit; a request keeps its bytes only with the one that it has always had.
    private static float ExactlyWithPicture(float sigma) => (float)Math.Sqrt((double)sigma * sigma + 1);
}
