using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Diagnostics;

namespace MuseAtelier;

/// <summary>
/// The origin of a picture, in addition to its request and its model. Another run can tell from it whether it paints the same picture,
/// and at which step it first differs.
/// </summary>
public sealed record PictureProvenance
{
    /// <summary>The name of the hash in <see cref="StepHash"/>: XXH3, 64 bits, seed 0.</summary>
    public const string StepHashName = "xxh3-64";

    /// <summary>The version of this engine.</summary>
    public static string CurrentEngine { get; } = AtelierMeter.Version;

    /// <summary>The version of the engine that painted the picture.</summary>
    public required string Engine { get; init; }

    /// <summary>The name and version of the runtime.</summary>
    public required string Runtime { get; init; }

    /// <summary>
    /// The device in words. For a processor it includes the number of threads, because a picture's last bits depend on it.
    /// </summary>
    public required string Device { get; init; }

    /// <summary>The offload mode and the planned peak of memory, in words.</summary>
    public required string Plan { get; init; }

    /// <summary>The batch size, and the picture's index in the batch; with a second pass those of the first.</summary>
    public required BatchSlot BatchSlot { get; init; }

    /// <summary>
    /// The size of the tiles in which the VAE worked, in both passes if there are two; null if it decoded the picture in one piece.
    /// </summary>
    public required TileSize? VaeTile { get; init; }

    /// <summary>SHA-256 over the names and digests of the package's graphs, lower-case hex.</summary>
    public required string GraphsSha256 { get; init; }

    /// <summary>
    /// The embeddings that the prompts named, in the order in which they are first used; with a second pass those of both. Empty if there
    /// were none.
    /// </summary>
    public IReadOnlyList<UsedEmbedding> Embeddings { get; init; } = [];

    /// <summary>The quantity that the model was taken to predict; null if unknown.</summary>
    public UsedPrediction? Prediction { get; init; }

    /// <summary>
    /// The LoRAs that changed the model, in the order in which they were added; with a second pass in the first one. Empty if there
    /// were none.
    /// </summary>
    public IReadOnlyList<UsedLora> Loras { get; init; } = [];

    /// <summary>
    /// The LoRAs that changed the model in the second pass; null if they are <see cref="Loras"/>, or if there was no second pass.
    /// </summary>
    public IReadOnlyList<UsedLora>? SecondPassLoras { get; init; }

    /// <summary>The digits by which AUTOMATIC1111's texts name each of <see cref="Loras"/>; none if they are not known.</summary>
    internal IReadOnlyList<string> LoraShortHashes { get; init; } = [];

    /// <summary>The same for <see cref="SecondPassLoras"/>.</summary>
    internal IReadOnlyList<string> SecondPassLoraShortHashes { get; init; } = [];

    /// <summary>Digests of the initial latents, then of every step; with a second pass those of both, one after the other.</summary>
    public required IReadOnlyList<StepHash> StepHashes { get; init; }

    internal static string CurrentRuntime => $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";
}
