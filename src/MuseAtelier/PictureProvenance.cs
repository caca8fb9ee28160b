using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier;

/// <summary>What a picture came from, beside request and model: enough for another run to tell whether it paints the same, and where it parts.</summary>
public sealed record PictureProvenance
{
    /// <summary>Name of the hash of <see cref="StepHash"/>: XXH3, 64 bits, seed 0.</summary>
    public const string StepHashName = "xxh3-64";

    /// <summary>Version of this engine.</summary>
    public static string CurrentEngine { get; } = typeof(Atelier).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Version of the engine that painted it.</summary>
    public required string Engine { get; init; }

    /// <summary>Name and version of the runtime.</summary>
    public required string Runtime { get; init; }

    /// <summary>The device in words; of a processor, with the number of threads that ran, on which last bits depend.</summary>
    public required string Device { get; init; }

    /// <summary>Where the weights were, in words.</summary>
    public required string Plan { get; init; }

    /// <summary>How many pictures were denoised together, and which of them this was.</summary>
    public required BatchSlot Pass { get; init; }

    /// <summary>The tiles in which the VAE decoded; null where it decoded the whole.</summary>
    public required TileSize? Tile { get; init; }

    /// <summary>SHA-256 over the names and digests of the package's graphs, lower-case hex.</summary>
    public required string GraphsSha256 { get; init; }

    /// <summary>The start, then every step.</summary>
    public required IReadOnlyList<StepHash> StepHashes { get; init; }

    internal static string CurrentRuntime => $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";
}

/// <summary>Digests of what a step added and left behind, as <see cref="PictureProvenance.StepHashName"/> makes them of fp32 values, little-endian, NCHW.</summary>
/// <param name="Noise">Of the standard normal noise; null where a step adds none.</param>
/// <param name="Latents">Of the latents afterwards.</param>
public readonly record struct StepHash(ulong? Noise, ulong Latents);
