using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Packaging;

/// <summary>A weight has stored numbers that are not finite. The file itself is damaged, whatever the precision.</summary>
/// <param name="path">Path of the checkpoint.</param>
/// <param name="component">The part of the model, one of <see cref="MuseAtelier.Format.ComponentNames"/>.</param>
/// <param name="weight">The weight.</param>
public sealed class DamagedWeightException(string path, string component, string weight)
    : CheckpointException(
        path,
        $"{weight} of {path}, a weight of the part '{component}', holds numbers that are not finite (NaN or infinity)",
        "finite numbers",
        "The checkpoint is damaged: fetch it again, or take another edition of it.")
{
    /// <summary>The part of the model that the weight belongs to.</summary>
    public string Component { get; } = component;

    /// <summary>The weight.</summary>
    public string Weight { get; } = weight;
}
