namespace MuseAtelier.Sampling;

/// <summary>
/// The UNet predicts the output F of the preconditioning of Karras et al. (2022) with sigma_data 0.5, as Playground 2.5 (diffusers,
/// scheduling_edm_euler.py, precondition_outputs): D(x, sigma) = x * 0.25 / (sigma^2 + 0.25) + F * sigma * 0.5 / sqrt(sigma^2 + 0.25).
/// </summary>
internal sealed class EdmPrediction() : PreconditionedPrediction(dataDeviation: 0.5, sign: 1);
