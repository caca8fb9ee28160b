using System.Globalization;

namespace MuseAtelier;

/// <summary>
/// The steps of a schedule and how many of them run, counted from the last: all of them for a picture of noise alone, and for a picture
/// that is painted from another one as many as its strength asks for.
/// </summary>
/// <param name="Schedule">The steps that the schedule has.</param>
/// <param name="Run">The steps that run; 0 to <paramref name="Schedule"/>.</param>
internal readonly record struct StepSpan(int Schedule, int Run)
{
    // AUTOMATIC1111, modules/sd_samplers_common.py, setup_img2img_steps.
    private const double MostA1111 = 0.999;

    // ComfyUI, comfy/samplers.py, KSampler.set_steps.
    private const double WholeComfy = 0.9999;

    /// <summary>The steps of a request.</summary>
    /// <exception cref="StepCountException">The schedule would have too many steps.</exception>
    public static StepSpan Of(PictureRequest request) => request.Source is { } source
        ? Of(request.Dialect, request.Steps, source.Strength, isFixed: request.Schedule.Timesteps is not null)
        : new StepSpan(request.Steps, request.Steps);

    /// <summary>
    /// The steps by a program's rule, with N for the request's steps and d for the strength. diffusers runs the last int(N d) of N steps
    /// (pipeline_stable_diffusion_xl_img2img.py, get_timesteps); where that is none, it refuses, and one runs here. AUTOMATIC1111 runs the
    /// last int(min(d, 0.999) N) + 1 of N steps (modules/sd_samplers_common.py, setup_img2img_steps). ComfyUI runs the last N of int(N / d)
    /// steps (comfy/samplers.py, KSampler.set_steps). A strength of 0 runs none in any of them here.
    /// </summary>
    /// <param name="dialect">The program.</param>
    /// <param name="steps">The request's steps.</param>
    /// <param name="strength">The share of the noise levels that denoising runs through, 0 to 1.</param>
    /// <param name="isFixed">
    /// Whether the schedule is a list of timesteps, which cannot be longer than it is. ComfyUI then runs the last round(N d) of its steps
    /// (comfy_extras/nodes_custom_sampler.py, SplitSigmasDenoise).
    /// </param>
    /// <exception cref="StepCountException">The schedule would have too many steps.</exception>
    public static StepSpan Of(SamplingDialect dialect, int steps, float strength, bool isFixed = false)
    {
        double share = AsWritten(strength);
        if (share <= 0) return new StepSpan(steps, 0);
        return dialect switch
        {
            SamplingDialect.A1111 => new StepSpan(steps, Math.Min((int)(Math.Min(share, MostA1111) * steps) + 1, steps)),
            SamplingDialect.Comfy when isFixed => new StepSpan(steps, Math.Clamp((int)Math.Round(steps * share), 1, steps)),
            SamplingDialect.Comfy => share > WholeComfy ? new StepSpan(steps, steps) : Checked(steps / share, steps, strength),
            _ => new StepSpan(steps, Math.Clamp((int)(steps * share), 1, steps)),
        };
    }

    /// <summary>
    /// Exactly the steps that are asked for, as AUTOMATIC1111's hires fix runs them: the last N of int(N / min(d, 0.999)) steps
    /// (modules/sd_samplers_common.py, setup_img2img_steps, where the steps are given).
    /// </summary>
    /// <param name="steps">The steps that run.</param>
    /// <param name="strength">The share of the noise levels that denoising runs through, above 0 and up to 1.</param>
    /// <exception cref="StepCountException">The schedule would have too many steps.</exception>
    public static StepSpan Exactly(int steps, float strength) =>
        Checked(steps / Math.Min(AsWritten(strength), MostA1111), steps, strength);

    private static StepSpan Checked(double schedule, int steps, float strength) => schedule < RequestRules.MostSteps + 1
        ? new StepSpan((int)schedule, steps)
        : throw StepCountException.OfStrength(steps, strength, schedule);

    // The programs read a strength as a number of double precision: 0.29 of 100 steps is 28.999999999999996 in them, which is 28 steps.
    private static double AsWritten(float strength) =>
        double.Parse(strength.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
