namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet predicts velocity (Salimans and Ho, 2022, "Progressive Distillation"; k-diffusion external.py, DiscreteVDDPMDenoiser, with
/// sigma_data 1): D(x, sigma) = x / (sigma^2 + 1) - v * sigma / sqrt(sigma^2 + 1).
/// </summary>
internal sealed class VelocityPrediction() : PreconditionedPrediction(dataDeviation: 1, sign: -1);
