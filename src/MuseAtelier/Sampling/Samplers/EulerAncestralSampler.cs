using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Euler's method with ancestral noise (k-diffusion sampling.py, sample_euler_ancestral; AUTOMATIC1111's "Euler a"):
/// x + epsilon * (sigmaDown - sigma) + noise * sigmaUp, which is the denoised latents in the last step. The other steps read epsilon,
/// because the difference x - denoised would round once more.
/// </summary>
internal sealed class EulerAncestralSampler : Sampler
{
    private readonly float[] _slopes;
    private readonly float[] _noiseScales;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public EulerAncestralSampler(SigmaSchedule schedule, double eta = 1)
        : base(OnePerStep(schedule, step => (float)AncestralStep.Of(schedule, step, eta).Up > 0 ? 1 : 0))
    {
        _slopes = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            AncestralStep parts = AncestralStep.Of(schedule, step, eta);
            _slopes[step] = (float)(parts.Down - schedule.Sigmas[step]);
            _noiseScales[step] = (float)parts.Up;
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            // The step to sigma 0. For a noise prediction, the formula gives these very bits; for velocity it would cancel digits.
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        TensorPrimitives.MultiplyAdd(state.Epsilon, _slopes[evaluation.Step], state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0)
            TensorPrimitives.MultiplyAdd(state.Noise(), _noiseScales[evaluation.Step], state.Latents, state.Latents);
    }
}
