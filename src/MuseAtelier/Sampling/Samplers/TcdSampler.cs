using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Trajectory consistency distillation (Zheng et al., 2024, "Trajectory Consistency Distillation", algorithm 4, strategic stochastic
/// sampling; diffusers scheduling_tcd.py, TCDScheduler.step): a step goes to a lower level than the next one, and noise brings it back.
/// </summary>
/// <remarks>
/// With gamma = eta, t' the next timestep (0 after the last step) and s = floor((1 - gamma) t'):
/// x = D + epsilon sigma[s] + noise sqrt(sigmaNext^2 - sigma[s]^2). The last step ends at the first trained timestep, where some noise is
/// left: sqrt(alpha[0]) D + sqrt(1 - alpha[0]) epsilon. With eta 0 no noise is drawn.
/// </remarks>
internal sealed class TcdSampler : Sampler
{
    private readonly float[] _epsilons;
    private readonly float[] _noiseScales;
    private readonly float _lastDenoised;
    private readonly float _lastEpsilon;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1: gamma in the paper.</param>
    public TcdSampler(SigmaSchedule schedule, double eta = 0.3)
        : base(OnePerStep(schedule, step => (float)NoiseScale(schedule, step, eta) > 0 ? 1 : 0))
    {
        _epsilons = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            _epsilons[step] = LowerSigma(schedule, step, eta);
            _noiseScales[step] = (float)NoiseScale(schedule, step, eta);
        }

        double least = schedule.LeastTrainedSigma;
        double root = Math.Sqrt(least * least + 1);
        _lastDenoised = (float)(1 / root);
        _lastEpsilon = (float)(least / root);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        bool isLast = evaluation.Index == Evaluations.Length - 1;
        TensorPrimitives.Multiply(state.Denoised, isLast ? _lastDenoised : 1, state.Latents);
        float epsilon = isLast ? _lastEpsilon : _epsilons[evaluation.Step];
        TensorPrimitives.MultiplyAdd(state.Epsilon, epsilon, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0)
            TensorPrimitives.MultiplyAdd(state.Noise(), _noiseScales[evaluation.Step], state.Latents, state.Latents);
    }

    // sigma[s], which is not above the next level.
    private static float LowerSigma(SigmaSchedule schedule, int step, double eta)
    {
        float next = schedule.Sigmas[step + 1];
        if (eta == 0 || next == 0) return next;
        // diffusers multiplies in single precision.
        float lower = MathF.Floor((float)(1 - eta) * schedule.TrainedPlace(step + 1));
        return Math.Min(schedule.TrainedSigma((int)lower), next);
    }

    private static double NoiseScale(SigmaSchedule schedule, int step, double eta)
    {
        double next = schedule.Sigmas[step + 1];
        double lower = LowerSigma(schedule, step, eta);
        return Math.Sqrt(next * next - lower * lower);
    }
}
