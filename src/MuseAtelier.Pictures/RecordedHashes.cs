using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures;

/// <summary>Digests by which two runs are compared.</summary>
public sealed record RecordedHashes
{
    [JsonConstructor]
    internal RecordedHashes(string algorithm, IReadOnlyList<string> noise, IReadOnlyList<string> latents, string pixels)
    {
        Algorithm = algorithm;
        Noise = noise;
        Latents = latents;
        Pixels = pixels;
    }

    /// <summary>The name of the hash of noise and latents, which covers their fp32 little-endian bytes in NCHW.</summary>
    public string Algorithm { get; init; }

    /// <summary>Hash of the initial noise, then of each step's noise, as 16 hex digits; empty for a step that adds none.</summary>
    public IReadOnlyList<string> Noise { get; init; }

    /// <summary>Hash of the initial latents, then of the latents after each step.</summary>
    public IReadOnlyList<string> Latents { get; init; }

    /// <summary>SHA-256 of the RGB bytes, lower-case hex.</summary>
    public string Pixels { get; init; }
}
