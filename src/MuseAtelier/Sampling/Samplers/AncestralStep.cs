namespace MuseAtelier.Sampling;

/// <summary>
/// Splits the step from one sigma to a lower one into a deterministic part and fresh noise, so that the variances add up to the lower
/// sigma's (k-diffusion sampling.py, get_ancestral_step).
/// </summary>
/// <param name="Down">The sigma to which the deterministic part leads.</param>
/// <param name="Up">The standard deviation of the fresh noise.</param>
internal readonly record struct AncestralStep(double Down, double Up)
{
    /// <summary>The parts of a step.</summary>
    /// <param name="from">The sigma before the step, above 0.</param>
    /// <param name="to">The sigma after the step, from 0 to <paramref name="from"/>.</param>
    /// <param name="eta">The strength of the noise, 0 to 1: its factor, before the deterministic part is fitted to it.</param>
    public static AncestralStep Of(double from, double to, double eta)
    {
        // Rounding could carry Up past the sigma after the step, and Down would then not be a number.
        double up = Math.Min(to, eta * Math.Sqrt(to * to * Math.Max(0, from * from - to * to) / (from * from)));
        return new AncestralStep(Math.Sqrt(to * to - up * up), up);
    }

    /// <summary>The parts of a schedule's step, from 0.</summary>
    public static AncestralStep Of(SigmaSchedule schedule, int step, double eta) =>
        Of(schedule.Sigmas[step], schedule.Sigmas[step + 1], eta);
}
