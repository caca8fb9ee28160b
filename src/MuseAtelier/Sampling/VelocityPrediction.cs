using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet predicts velocity (Salimans and Ho, 2022, "Progressive Distillation"; k-diffusion external.py, DiscreteVDDPMDenoiser, with
/// sigma_data 1): D(x, sigma) = x / (sigma^2 + 1) - v * sigma / sqrt(sigma^2 + 1).
/// </summary>
internal sealed class VelocityPrediction : Prediction
{
    /// <inheritdoc/>
    public override void ToDenoised(ReadOnlySpan<float> latents, ReadOnlySpan<float> output, float sigma, Span<float> denoised)
    {
        double variance = (double)sigma * sigma + 1;
        TensorPrimitives.Multiply(output, (float)(-sigma / Math.Sqrt(variance)), denoised);
        TensorPrimitives.MultiplyAdd(latents, (float)(1 / variance), denoised, denoised);
    }

    /// <summary>
    /// (x - D) / sigma in the form that loses no digits at a small sigma: v / sqrt(sigma^2 + 1) + x * sigma / (sigma^2 + 1).
    /// </summary>
    public override void ToEpsilon(ReadOnlySpan<float> latents, Span<float> output, float sigma)
    {
        double variance = (double)sigma * sigma + 1;
        TensorPrimitives.Multiply(output, (float)(1 / Math.Sqrt(variance)), output);
        TensorPrimitives.MultiplyAdd(latents, (float)(sigma / variance), output, output);
    }
}
