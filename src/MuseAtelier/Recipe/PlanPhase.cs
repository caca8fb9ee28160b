using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>The phases of a picture, in order.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlanPhase>))]
public enum PlanPhase
{
    /// <summary>Encodes the prompts into text states.</summary>
    Text,

    /// <summary>Computes keys and values from text states, and embeddings from timesteps; once per batch.</summary>
    Conditioning,

    /// <summary>Encodes an existing picture into latents; only where a picture is painted from one.</summary>
    Encoding,

    /// <summary>Denoises the latents, step by step.</summary>
    Denoising,

    /// <summary>Decodes the latents into pixels.</summary>
    Decoding,
}
