using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet predicts the clean latents: D(x, sigma) is its output (diffusers, scheduling_euler_discrete.py, prediction_type "sample").
/// </summary>
internal sealed class SamplePrediction : Prediction
{
    /// <inheritdoc/>
    public override DenoisedMap MapAt(float sigma) => new(Latents: 0, Output: 1);

    /// <inheritdoc/>
    public override void ToDenoised(ReadOnlySpan<float> latents, ReadOnlySpan<float> output, float sigma, Span<float> denoised) =>
        output.CopyTo(denoised);

    /// <inheritdoc/>
    public override void ToEpsilon(ReadOnlySpan<float> latents, Span<float> output, float sigma)
    {
        TensorPrimitives.Subtract(latents, output, output);
        TensorPrimitives.Divide(output, sigma, output);
    }
}
