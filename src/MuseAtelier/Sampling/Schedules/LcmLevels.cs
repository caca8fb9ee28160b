namespace MuseAtelier.Sampling;

/// <summary>
/// AUTOMATIC1111's levels for LCM: even parts of the 50 timesteps that latent consistency models are trained on, with both ends
/// (modules/sd_samplers_lcm.py, LCMCompVisDenoiser).
/// </summary>
internal static class LcmLevels
{
    private const int Count = DiffusersTimesteps.MostLcmSteps;
    private const int Stride = TrainedSchedule.Steps / Count;

    /// <summary>The noise levels above 0: get_sigmas, whose logarithms are interpolated between those of the 50 timesteps.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="steps">1 to 1000.</param>
    public static double[] Sigmas(TrainedSchedule trained, int steps) => SigmaFunctions.Make(steps, i =>
    {
        double place = (Count - 1) * (1 - (steps == 1 ? 0 : (double)i / (steps - 1)));
        int below = Math.Min((int)place, Count - 2);
        return Math.Exp(SigmaFunctions.Lerp(LogSigma(trained, below), LogSigma(trained, below + 1), place - below));
    });

    /// <summary>The nearest of the 50 timesteps by logarithms of noise levels: sigma_to_t.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="sigma">The noise level, above 0.</param>
    public static float TimestepAt(TrainedSchedule trained, double sigma)
    {
        int nearest = 0;
        double log = Math.Log(sigma);
        for (int i = 1; i < Count; i++)
        {
            if (Math.Abs(log - LogSigma(trained, i)) < Math.Abs(log - LogSigma(trained, nearest))) nearest = i;
        }

        return TimestepOf(nearest);
    }

    private static int TimestepOf(int index) => index * Stride + Stride - 1;

    private static double LogSigma(TrainedSchedule trained, int index) => Math.Log(trained.ExactSigmas[TimestepOf(index)]);
}
