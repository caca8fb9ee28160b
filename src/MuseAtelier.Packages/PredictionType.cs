using System.Text.Json.Serialization;

namespace MuseAtelier.Packages;

/// <summary>The quantity that a UNet predicts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PredictionType>))]
public enum PredictionType
{
    /// <summary>The noise.</summary>
    Epsilon,

    /// <summary>Velocity, v = alpha * noise - sigma * picture (Salimans and Ho, 2022).</summary>
    Velocity,
}
