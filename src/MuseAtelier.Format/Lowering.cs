using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>The kind of device for which a package's graphs were lowered.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Lowering>))]
public enum Lowering
{
    /// <summary>Standard operators, NCHW, fp32 arithmetic unless <see cref="Precisions"/> say otherwise: runs on a processor.</summary>
    Portable,

    /// <summary>
    /// Fused operators, NHWC, fp16 UNet and VAE and fp32 text encoders unless <see cref="Precisions"/> say otherwise: runs on an NVIDIA
    /// card.
    /// </summary>
    Cuda,
}
