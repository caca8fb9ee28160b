using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver-2 in the form of k-diffusion (sampling.py, sample_dpm_2 with s_churn 0; Karras et al., 2022, algorithm 2; Lu et al., 2022,
/// "DPM-Solver"; AUTOMATIC1111's "DPM2"): a step follows the slope at the geometric mean of its two noise levels. The step to sigma 0 has
/// one evaluation. Draws no noise after the start.
/// </summary>
/// <remarks>
/// With sigmaMid = sqrt(sigma sigmaNext) and d = epsilon(x, sigma): x2 = x + d (sigmaMid - sigma), d2 = epsilon(x2, sigmaMid), and
/// x = x + d2 (sigmaNext - sigma).
/// </remarks>
internal sealed class Dpm2Sampler : Sampler
{
    private readonly float[] _halves;
    private readonly float[] _distances;

    /// <summary>Computes the coefficients of every step.</summary>
    public Dpm2Sampler(SigmaSchedule schedule) : base(TwoPerStep(schedule, step => Middle(schedule, step)), history: 1)
    {
        _halves = new float[schedule.Steps];
        _distances = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            double sigma = schedule.Sigmas[step];
            _halves[step] = (float)(Middle(schedule, step) - sigma);
            _distances[step] = (float)(schedule.Sigmas[step + 1] - sigma);
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
        }
        else if (IsFirstOfStep(evaluation))
        {
            state.Latents.CopyTo(state.History());
            TensorPrimitives.MultiplyAdd(state.Epsilon, _halves[evaluation.Step], state.Latents, state.Latents);
        }
        else
        {
            TensorPrimitives.MultiplyAdd(state.Epsilon, _distances[evaluation.Step], state.History(), state.Latents);
        }
    }

    private static double Middle(SigmaSchedule schedule, int step) =>
        Math.Sqrt((double)schedule.Sigmas[step] * schedule.Sigmas[step + 1]);
}
