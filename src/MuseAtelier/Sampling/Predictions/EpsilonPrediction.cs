using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet predicts the noise: D(x, sigma) = x - sigma * epsilon (k-diffusion external.py, DiscreteEpsDDPMDenoiser).
/// </summary>
internal sealed class EpsilonPrediction : Prediction
{
    /// <inheritdoc/>
    public override DenoisedMap MapAt(float sigma) => new(Latents: 1, Output: -sigma);

    /// <inheritdoc/>
    public override void ToDenoised(ReadOnlySpan<float> latents, ReadOnlySpan<float> output, float sigma, Span<float> denoised) =>
        TensorPrimitives.MultiplyAdd(output, -sigma, latents, denoised);

    /// <inheritdoc/>
    public override void ToEpsilon(ReadOnlySpan<float> latents, Span<float> output, float sigma)
    {
        // The output is the noise already.
    }
}
