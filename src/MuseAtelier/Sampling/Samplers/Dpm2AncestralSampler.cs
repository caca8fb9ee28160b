using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver-2 with ancestral noise (k-diffusion sampling.py, sample_dpm_2_ancestral; AUTOMATIC1111's "DPM2 a"): the step of
/// <see cref="Dpm2Sampler"/> to sigmaDown, and fresh noise of deviation sigmaUp. The step to sigma 0 has one evaluation and no noise.
/// </summary>
/// <remarks>
/// With sigmaMid = sqrt(sigma sigmaDown) and d = epsilon(x, sigma): x2 = x + d (sigmaMid - sigma), d2 = epsilon(x2, sigmaMid), and
/// x = x + d2 (sigmaDown - sigma) + noise sigmaUp.
/// </remarks>
internal sealed class Dpm2AncestralSampler : Sampler
{
    private readonly float[] _halves;
    private readonly float[] _distances;
    private readonly float[] _noiseScales;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public Dpm2AncestralSampler(SigmaSchedule schedule, double eta = 1)
        : base(
            TwoPerStep(schedule, step => Middle(schedule, step, eta), step => (float)AncestralStep.Of(schedule, step, eta).Up > 0 ? 1 : 0),
            history: 1)
    {
        _halves = new float[schedule.Steps];
        _distances = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            AncestralStep parts = AncestralStep.Of(schedule, step, eta);
            double sigma = schedule.Sigmas[step];
            _halves[step] = (float)(Middle(schedule, step, eta) - sigma);
            _distances[step] = (float)(parts.Down - sigma);
            _noiseScales[step] = (float)parts.Up;
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        if (IsFirstOfStep(evaluation))
        {
            state.Latents.CopyTo(state.History());
            TensorPrimitives.MultiplyAdd(state.Epsilon, _halves[evaluation.Step], state.Latents, state.Latents);
            return;
        }

        TensorPrimitives.MultiplyAdd(state.Epsilon, _distances[evaluation.Step], state.History(), state.Latents);
        if (evaluation.NoiseDraws > 0)
            TensorPrimitives.MultiplyAdd(state.Noise(), _noiseScales[evaluation.Step], state.Latents, state.Latents);
    }

    private static double Middle(SigmaSchedule schedule, int step, double eta) =>
        Math.Sqrt(schedule.Sigmas[step] * AncestralStep.Of(schedule, step, eta).Down);
}
