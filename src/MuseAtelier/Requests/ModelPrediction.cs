namespace MuseAtelier;

/// <summary>A choice of the quantity that a model predicts.</summary>
public enum ModelPrediction
{
    /// <summary>What the marks in the model's file say; noise if there are none.</summary>
    Automatic,

    /// <summary>The noise.</summary>
    Epsilon,

    /// <summary>Velocity.</summary>
    Velocity,

    /// <summary>Velocity, with a last timestep that is noise alone (zero terminal SNR).</summary>
    VelocityZeroSnr,

    /// <summary>
    /// The output of the preconditioning of Karras et al. (2022) with sigma_data 0.5 and sigmas from 0.002 to 80, and latents in the scale
    /// of Playground 2.5.
    /// </summary>
    Edm,

    /// <summary>Velocity over a continuous range of sigmas: that of the model's file, or 0.002 to 120 as CosXL.</summary>
    VelocityEdm,

    /// <summary>The clean latents, as the one-step model of SDXL-Lightning.</summary>
    Sample,
}
