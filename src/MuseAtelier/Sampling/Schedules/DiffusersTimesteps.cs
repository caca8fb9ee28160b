namespace MuseAtelier.Sampling;

/// <summary>The timesteps that diffusers' schedulers choose for a number of steps (set_timesteps), falling.</summary>
internal static class DiffusersTimesteps
{
    /// <summary>The timesteps of the grid on which latent consistency models are trained: 19, 39 and so on up to 999.</summary>
    public const int MostLcmSteps = 50;

    private const int Trained = TrainedSchedule.Steps;

    /// <summary>The timesteps of a spacing.</summary>
    /// <param name="spacing">Leading, trailing, linspace or LCM.</param>
    /// <param name="steps">1 to 1000.</param>
    /// <param name="isMultistep">
    /// Whether the scheduler divides the timesteps into one part more than there are steps (scheduling_dpmsolver_multistep.py,
    /// scheduling_unipc_multistep.py) or not (scheduling_euler_discrete.py, scheduling_ddim.py and the others).
    /// </param>
    /// <exception cref="StepCountException">The spacing is LCM's, and there are more than 50 steps.</exception>
    public static float[] Of(TimestepSpacing spacing, int steps, bool isMultistep)
    {
        if (spacing == TimestepSpacing.Lcm && steps > MostLcmSteps) throw new StepCountException(steps, MostLcmSteps);
        float[] timesteps = new float[steps];
        for (int i = 0; i < steps; i++)
        {
            timesteps[i] = spacing switch
            {
                TimestepSpacing.Leading => Leading(steps - 1 - i, steps, isMultistep),
                TimestepSpacing.Trailing => (float)Math.Round(Trained - i * ((double)Trained / steps)) - 1,
                TimestepSpacing.Linspace => Linspace(steps - 1 - i, steps, isMultistep),
                TimestepSpacing.Lcm => Lcm(i, steps),
                _ => throw new ArgumentOutOfRangeException(nameof(spacing), spacing, null),
            };
        }

        return timesteps;
    }

    // With steps_offset 1, as in SDXL's configuration. A part of 0 timesteps would repeat one of them.
    private static float Leading(int index, int steps, bool isMultistep) => isMultistep
        ? Math.Min((index + 1) * Math.Max(Trained / (steps + 1), 1) + 1, Trained)
        : index * (Trained / steps) + 1;

    // A single step begins at the most noise, as in k-diffusion. diffusers begins it at the least, which would show the noise.
    private static float Linspace(int index, int steps, bool isMultistep)
    {
        if (isMultistep) return (float)Math.Round((index + 1) * ((Trained - 1.0) / steps));
        return steps == 1 ? Trained - 1 : (float)(index * ((Trained - 1.0) / (steps - 1)));
    }

    // scheduling_lcm.py and scheduling_tcd.py, with original_inference_steps 50.
    private static float Lcm(int index, int steps)
    {
        int skipped = (int)(index * ((double)MostLcmSteps / steps));
        return (MostLcmSteps - skipped) * (Trained / MostLcmSteps) - 1;
    }
}
