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

    /// <summary>The output of the preconditioning of Karras et al. (2022), as Playground 2.5.</summary>
    Edm,

    /// <summary>Velocity over the noise levels of <see cref="Edm"/>.</summary>
    VelocityEdm,

    /// <summary>The clean latents, as the one-step model of SDXL-Lightning.</summary>
    Sample,
}
