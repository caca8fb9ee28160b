using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>A package's manifest takes a weight from rows of a tensor that the checkpoint does not have.</summary>
public sealed class WeightSourceException : CheckpointException
{
    internal WeightSourceException(string path, string tensor, string found)
        : base(
            path,
            $"{path} has {found} where the package takes a weight from '{SafetensorsHeader.Shorten(tensor)}'",
            "the checkpoint that the package was exported from",
            "Give that checkpoint, or export this one.") =>
            Tensor = tensor;

    /// <summary>Name of the tensor.</summary>
    public string Tensor { get; }
}
