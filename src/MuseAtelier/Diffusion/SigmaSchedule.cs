namespace MuseAtelier.Diffusion;

/// <summary>The noise levels of a picture's steps, as diffusers' EulerAncestralDiscreteScheduler sets them for SDXL.</summary>
internal sealed class SigmaSchedule
{
    /// <summary>Timesteps that the model was trained on.</summary>
    public const int TrainedSteps = 1000;

    private const double Rho = 7;

    private static readonly float[] TrainedSigmas = ComputeTrainedSigmas();

    private readonly float[] _timesteps;
    private readonly float[] _sigmas;

    /// <param name="schedule">How timesteps are chosen.</param>
    /// <param name="steps">1 to 1000.</param>
    public SigmaSchedule(NoiseSchedule schedule, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, TrainedSteps);
        _timesteps = ChooseTimesteps(schedule.Spacing, steps);
        double[] sigmas = Array.ConvertAll(_timesteps, SigmaAt);
        if (schedule.Karras)
        {
            SpreadAsKarras(sigmas);
            for (int i = 0; i < steps; i++)
                _timesteps[i] = TimestepAt(sigmas[i]);
        }

        _sigmas = [.. sigmas.Select(sigma => (float)sigma), 0];
        InitialNoiseScale = schedule.Spacing == TimestepSpacing.Leading ? MathF.Sqrt(_sigmas[0] * _sigmas[0] + 1) : _sigmas[0];
    }

    /// <summary>Steps.</summary>
    public int Steps => _timesteps.Length;

    /// <summary>[Steps] what the UNet is told, falling; fractions occur.</summary>
    public ReadOnlySpan<float> Timesteps => _timesteps;

    /// <summary>[Steps + 1] standard deviation of the noise before each step, falling; the last is 0.</summary>
    public ReadOnlySpan<float> Sigmas => _sigmas;

    /// <summary>What the initial noise is multiplied with.</summary>
    public float InitialNoiseScale { get; }

    // Single precision where PyTorch has it: the betas are its linspace, which counts from the nearer end; the product is
    // kept in double and rounded at every timestep.
    private static float[] ComputeTrainedSigmas()
    {
        float start = (float)Math.Sqrt(0.00085), end = (float)Math.Sqrt(0.012);
        float stride = (end - start) / (TrainedSteps - 1);
        float[] sigmas = new float[TrainedSteps];
        double kept = 1;
        for (int t = 0; t < TrainedSteps; t++)
        {
            float root = t < TrainedSteps / 2 ? start + stride * t : end - stride * (TrainedSteps - 1 - t);
            kept *= 1 - root * root;
            float alpha = (float)kept;
            sigmas[t] = MathF.Sqrt((1 - alpha) / alpha);
        }

        return sigmas;
    }

    private static float[] ChooseTimesteps(TimestepSpacing spacing, int steps)
    {
        float[] timesteps = new float[steps];
        for (int i = 0; i < steps; i++)
        {
            timesteps[i] = spacing switch
            {
                TimestepSpacing.Leading => (steps - 1 - i) * (TrainedSteps / steps) + 1,
                TimestepSpacing.Trailing => (float)Math.Round(TrainedSteps - i * ((double)TrainedSteps / steps)) - 1,
                // A single step begins at the most noise, as k-diffusion has it; diffusers' at the least would show the noise itself.
                TimestepSpacing.Linspace => steps == 1 ? TrainedSteps - 1 : (float)((steps - 1 - i) * ((TrainedSteps - 1.0) / (steps - 1))),
                _ => throw new ArgumentOutOfRangeException(nameof(spacing), spacing, null),
            };
        }

        return timesteps;
    }

    // 1000 steps by leading spacing begin at timestep 1000, which is beyond the table: its last entry counts there.
    private static double SigmaAt(float timestep)
    {
        int below = Math.Min((int)timestep, TrainedSteps - 1);
        if (below == TrainedSteps - 1)
            return TrainedSigmas[below];
        double low = TrainedSigmas[below];
        return low + (TrainedSigmas[below + 1] - low) * (timestep - below);
    }

    // Karras et al. (2022), equation 5.
    private static void SpreadAsKarras(double[] sigmas)
    {
        double first = Math.Pow(sigmas[0], 1 / Rho), last = Math.Pow(sigmas[^1], 1 / Rho);
        for (int i = 0; i < sigmas.Length; i++)
        {
            double ramp = sigmas.Length == 1 ? 0 : i / (sigmas.Length - 1.0);
            sigmas[i] = Math.Pow(first + ramp * (last - first), Rho);
        }
    }

    // The timestep whose sigma it is, interpolated on logarithms.
    private static float TimestepAt(double sigma)
    {
        int above = Array.BinarySearch(TrainedSigmas, (float)sigma);
        int low = Math.Clamp(above >= 0 ? above : ~above - 1, 0, TrainedSteps - 2);
        double logLow = Math.Log(TrainedSigmas[low]), logHigh = Math.Log(TrainedSigmas[low + 1]);
        return (float)(low + Math.Clamp((Math.Log(sigma) - logLow) / (logHigh - logLow), 0, 1));
    }
}
