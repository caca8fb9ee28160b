using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures;

/// <summary>The model of a recorded picture.</summary>
public sealed record RecordedModel
{
    [JsonConstructor]
    internal RecordedModel(string name, string sha256, string graphsSha256) =>
        (Name, Sha256, GraphsSha256) = (name, sha256, graphsSha256);

    /// <summary>The checkpoint's file name without extension.</summary>
    public string Name { get; init; }

    /// <summary>SHA-256 of the checkpoint, lower-case hex.</summary>
    public string Sha256 { get; init; }

    /// <summary>The VAE in a file of its own that replaced the checkpoint's; null if the VAE was the checkpoint's.</summary>
    public UsedVae? Vae { get; init; }

    /// <summary>SHA-256 over the graphs that were run, lower-case hex.</summary>
    public string GraphsSha256 { get; init; }

    /// <summary>The quantity that the model was taken to predict, and why; null in records of older versions.</summary>
    public UsedPrediction? Prediction { get; init; }
}
