using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Heun's method (k-diffusion sampling.py, sample_heun with s_churn 0; Karras et al., 2022, algorithm 1; AUTOMATIC1111's "Heun"): each
/// step evaluates the UNet at its start and at its end, and follows the mean of the two slopes. The step to sigma 0 has one evaluation.
/// Draws no noise after the start.
/// </summary>
/// <remarks>
/// With d = epsilon(x, sigma): x2 = x + d (sigmaNext - sigma), d2 = epsilon(x2, sigmaNext), and
/// x = x + (d + d2) / 2 (sigmaNext - sigma).
/// </remarks>
internal sealed class HeunSampler : Sampler
{
    private readonly float[] _distances;

    /// <summary>Computes the coefficient of every step.</summary>
    public HeunSampler(SigmaSchedule schedule) : base(TwoPerStep(schedule, step => schedule.Sigmas[step + 1]), history: 2)
    {
        _distances = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
            _distances[step] = (float)((double)schedule.Sigmas[step + 1] - schedule.Sigmas[step]);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        float distance = _distances[evaluation.Step];
        Span<float> start = state.History(0);
        Span<float> slope = state.History(1);
        if (IsFirstOfStep(evaluation))
        {
            state.Latents.CopyTo(start);
            state.Epsilon.CopyTo(slope);
            TensorPrimitives.MultiplyAdd(state.Epsilon, distance, state.Latents, state.Latents);
        }
        else
        {
            TensorPrimitives.Add(state.Epsilon, slope, slope);
            TensorPrimitives.MultiplyAdd(slope, distance / 2, start, state.Latents);
        }
    }
}
