using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet's output F is one direction of the pair of picture and noise, as in the preconditioning of Karras et al. (2022), equation 7:
/// D(x, sigma) = x * d^2 / (sigma^2 + d^2) + s * F * sigma * d / sqrt(sigma^2 + d^2) with the data's standard deviation d (sigma_data)
/// and the sign s (ComfyUI, comfy/model_sampling.py, V_PREDICTION and EDM).
/// </summary>
/// <param name="dataDeviation">The standard deviation d of the clean latents that the model was trained on.</param>
/// <param name="sign">The sign s of the output: 1 or -1.</param>
internal abstract class PreconditionedPrediction(double dataDeviation, int sign) : Prediction
{
    /// <inheritdoc/>
    public override float DataVariance { get; } = (float)(dataDeviation * dataDeviation);

    /// <inheritdoc/>
    public override DenoisedMap MapAt(float sigma)
    {
        double variance = (double)sigma * sigma + DataVariance;
        return new DenoisedMap(DataVariance / variance, sign * sigma * dataDeviation / Math.Sqrt(variance));
    }

    /// <inheritdoc/>
    public override void ToDenoised(ReadOnlySpan<float> latents, ReadOnlySpan<float> output, float sigma, Span<float> denoised)
    {
        DenoisedMap map = MapAt(sigma);
        TensorPrimitives.Multiply(output, (float)map.Output, denoised);
        TensorPrimitives.MultiplyAdd(latents, (float)map.Latents, denoised, denoised);
    }

    /// <summary>
    /// (x - D) / sigma in the form that loses no digits at a small sigma: x * sigma / (sigma^2 + d^2) - s * F * d / sqrt(sigma^2 + d^2).
    /// </summary>
    public override void ToEpsilon(ReadOnlySpan<float> latents, Span<float> output, float sigma)
    {
        double variance = (double)sigma * sigma + DataVariance;
        TensorPrimitives.Multiply(output, (float)(-sign * dataDeviation / Math.Sqrt(variance)), output);
        TensorPrimitives.MultiplyAdd(latents, (float)(sigma / variance), output, output);
    }
}
