using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Euler's method for the probability flow ODE (k-diffusion sampling.py, sample_euler with s_churn 0; Karras et al., 2022, algorithm 1
/// without its correction): x + epsilon * (sigmaNext - sigma). Draws no noise after the start.
/// </summary>
internal sealed class EulerSampler : Sampler
{
    private readonly float[] _slopes;

    /// <summary>Computes the coefficient of every step.</summary>
    public EulerSampler(SigmaSchedule schedule) : base(OnePerStep(schedule))
    {
        _slopes = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
            _slopes[step] = (float)((double)schedule.Sigmas[step + 1] - schedule.Sigmas[step]);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        // The step to sigma 0 leads to the denoised latents; the formula would cancel digits.
        if (evaluation.Index == Evaluations.Length - 1) state.Denoised.CopyTo(state.Latents);
        else TensorPrimitives.MultiplyAdd(state.Epsilon, _slopes[evaluation.Step], state.Latents, state.Latents);
    }
}
