namespace MuseAtelier.Sampling;

/// <summary>
/// What the solvers of the stochastic equation share in a step from one sigma to a lower one (k-diffusion sampling.py,
/// sample_dpmpp_2m_sde and sample_dpmpp_3m_sde). With h = ln(sigma / sigmaNext):
/// </summary>
/// <param name="Length">h; infinite in the step to sigma 0.</param>
/// <param name="Decay">exp(-(1 + eta) h), the factor of the latents.</param>
/// <param name="Noise">sigmaNext sqrt(1 - exp(-2 eta h)), the standard deviation of the fresh noise.</param>
internal readonly record struct SdeStep(double Length, double Decay, double Noise)
{
    /// <summary>The parts of a schedule's step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="eta">The strength of the noise, 0 to 1.</param>
    public static SdeStep Of(SigmaSchedule schedule, int step, double eta)
    {
        double next = schedule.Sigmas[step + 1];
        double ratio = next / schedule.Sigmas[step];
        double noisy = Math.Pow(ratio, eta);
        return new SdeStep(-Math.Log(ratio), ratio * noisy, next * Math.Sqrt(1 - noisy * noisy));
    }
}
