using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Packaging;

/// <summary>A package's manifest takes a weight from rows of a tensor that the checkpoint does not have.</summary>
/// <param name="path">Path of the checkpoint.</param>
/// <param name="tensor">Name of the tensor.</param>
/// <param name="found">What the checkpoint has instead.</param>
public sealed class WeightSourceException(string path, string tensor, string found)
    : CheckpointException(
        path,
        $"{path} has {found} where the package takes a weight from '{SafetensorsHeader.Shorten(tensor)}'",
        "the checkpoint that the package was exported from",
        "Give that checkpoint, or export this one.")
{
    /// <summary>Name of the tensor.</summary>
    public string Tensor { get; } = tensor;
}
