using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>Checkpoints cannot be merged: they are of different kinds, have different tensors, or weights that cannot be added.</summary>
public sealed class MergeMismatchException : CheckpointException
{
    internal MergeMismatchException(string path, string found, string expected)
        : base(path, found, expected, "Merge checkpoints of one kind, in their fp16, bf16 or fp32 editions.")
    {
    }

    internal static MergeMismatchException OfTensor(string path, string tensor, string found, string expected) =>
        new(path, $"'{SafetensorsHeader.Shorten(tensor)}' of {path} {found}", expected);
}
