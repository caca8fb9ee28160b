using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>The quantity that a UNet predicts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PredictionType>))]
internal enum PredictionType
{
    /// <summary>The noise.</summary>
    Epsilon,

    /// <summary>Velocity, v = alpha * noise - sigma * picture (Salimans and Ho, 2022).</summary>
    Velocity,

    /// <summary>The output F of the preconditioning of Karras et al. (2022), with sigma_data 0.5, as Playground 2.5.</summary>
    Edm,

    /// <summary>Velocity over a continuous range of noise levels, as CosXL.</summary>
    VelocityEdm,

    /// <summary>The clean latents, as the one-step model of SDXL-Lightning.</summary>
    Sample,
}
