using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Packaging;

/// <summary>The checkpoint is not the one that the overlay's base was exported from.</summary>
/// <param name="path">Path of the checkpoint.</param>
/// <param name="basePackage">Path of the base's folder.</param>
internal sealed class OverlayCheckpointException(string path, string basePackage)
    : CheckpointException(
        path,
        $"{path} is not the checkpoint that {basePackage} was exported from",
        "that checkpoint, whose SHA-256 the package states",
        "Give that checkpoint, or export this one and change its package.")
{
    /// <summary>Path of the base's folder.</summary>
    public string BasePackage { get; } = basePackage;
}

/// <summary>Changes name tensors that no weight of the base is made of. Such a change would be lost without notice.</summary>
/// <param name="path">Path of the checkpoint.</param>
/// <param name="tensors">The names of the tensors.</param>
internal sealed class OverlayTensorException(string path, IReadOnlyList<string> tensors)
    : CheckpointException(
        path,
        $"no weight is made of '{SafetensorsHeader.Shorten(tensors[0])}'{Others(tensors.Count - 1)} of {path}",
        "names of the checkpoint's tensors that the package's manifest names",
        "Correct the names, or leave these changes out.")
{
    /// <summary>The names of the tensors.</summary>
    public IReadOnlyList<string> Tensors { get; } = tensors;

    private static string Others(int count) => count == 0 ? "" : FormattableString.Invariant($" and {count} more");
}
