namespace MuseAtelier.Diffusion;

/// <summary>
/// Timesteps and noise levels of a picture, as diffusers' EulerAncestralDiscreteScheduler chooses them for SDXL: betas are the squares of
/// an even row from sqrt(0.00085) to sqrt(0.012), and sigma = sqrt((1 - a) / a) with a the running product of 1 - beta.
/// </summary>
internal sealed class SigmaSchedule
{
    private const int TrainedSteps = 1000;
    private const double Rho = 7;

    public SigmaSchedule(NoiseSchedule schedule, int steps)
    {
        double[] trained = TrainedSigmas();
        double[] timesteps = new double[steps];
        for (int i = 0; i < steps; i++)
        {
            timesteps[i] = schedule.Spacing switch
            {
                TimestepSpacing.Leading => (steps - 1 - i) * (TrainedSteps / steps) + 1,
                TimestepSpacing.Trailing => Math.Round(TrainedSteps - i * ((double)TrainedSteps / steps), MidpointRounding.ToEven) - 1,
                _ => (steps - 1 - i) * ((double)(TrainedSteps - 1) / Math.Max(1, steps - 1)),
            };
        }

        double[] sigmas = [.. timesteps.Select(timestep => Interpolate(trained, timestep))];
        if (schedule.Karras)
        {
            double high = Math.Pow(sigmas[0], 1 / Rho), low = Math.Pow(sigmas[^1], 1 / Rho);
            for (int i = 0; i < steps; i++) sigmas[i] = Math.Pow(high + (steps == 1 ? 0 : (double)i / (steps - 1)) * (low - high), Rho);
            double[] logs = Array.ConvertAll(trained, Math.Log);
            for (int i = 0; i < steps; i++) timesteps[i] = InverseInterpolate(logs, Math.Log(sigmas[i]));
        }

        Timesteps = [.. timesteps.Select(timestep => (float)timestep)];
        Sigmas = [.. sigmas.Select(sigma => (float)sigma), 0];
        InitialNoise = schedule.Spacing == TimestepSpacing.Leading ? (float)Math.Sqrt((double)Sigmas[0] * Sigmas[0] + 1) : Sigmas[0];
    }

    /// <summary>The timestep of each step.</summary>
    public float[] Timesteps { get; }

    /// <summary>The noise level before each step, and 0 after the last.</summary>
    public float[] Sigmas { get; }

    /// <summary>What the first noise is multiplied with.</summary>
    public float InitialNoise { get; }

    private static double[] TrainedSigmas()
    {
        double first = Math.Sqrt(0.00085), last = Math.Sqrt(0.012), product = 1;
        double[] sigmas = new double[TrainedSteps];
        for (int i = 0; i < TrainedSteps; i++)
        {
            double root = first + i * (last - first) / (TrainedSteps - 1);
            product *= 1 - root * root;
            sigmas[i] = Math.Sqrt((1 - product) / product);
        }

        return sigmas;
    }

    private static double Interpolate(double[] values, double position)
    {
        position = Math.Clamp(position, 0, values.Length - 1);
        int below = Math.Min((int)position, values.Length - 2);
        return values[below] + (values[below + 1] - values[below]) * (position - below);
    }

    private static double InverseInterpolate(double[] rising, double value)
    {
        int above = Array.BinarySearch(rising, value);
        if (above >= 0) return above;
        above = Math.Clamp(~above, 1, rising.Length - 1);
        return above - 1 + Math.Clamp((value - rising[above - 1]) / (rising[above] - rising[above - 1]), 0, 1);
    }
}
