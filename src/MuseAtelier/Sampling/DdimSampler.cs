using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DDIM with eta 0 (Song et al., 2021, equation 12; diffusers scheduling_ddim.py, DDIMScheduler.step, with set_alpha_to_one false as in
/// SDXL's configuration; AUTOMATIC1111's "DDIM"). Draws no noise after the start.
/// </summary>
/// <remarks>
/// diffusers holds x sqrt(alpha), where alpha = 1 / (sigma^2 + 1); for x itself, its formula is Euler's: x + epsilon (sigmaNext - sigma).
/// The last step ends at the first trained timestep, where some noise is left: sqrt(alpha[0]) D + sqrt(1 - alpha[0]) epsilon.
/// </remarks>
internal sealed class DdimSampler : Sampler
{
    private readonly float[] _slopes;
    private readonly float _lastDenoised;
    private readonly float _lastEpsilon;

    /// <summary>Computes the coefficients of every step.</summary>
    public DdimSampler(SigmaSchedule schedule) : base(OnePerStep(schedule))
    {
        _slopes = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
            _slopes[step] = (float)((double)schedule.Sigmas[step + 1] - schedule.Sigmas[step]);
        double least = schedule.LeastTrainedSigma;
        double root = Math.Sqrt(least * least + 1);
        _lastDenoised = (float)(1 / root);
        _lastEpsilon = (float)(least / root);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index < Evaluations.Length - 1)
        {
            TensorPrimitives.MultiplyAdd(state.Epsilon, _slopes[evaluation.Step], state.Latents, state.Latents);
            return;
        }

        TensorPrimitives.Multiply(state.Denoised, _lastDenoised, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Epsilon, _lastEpsilon, state.Latents, state.Latents);
    }
}
