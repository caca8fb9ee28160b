using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>A weight has stored numbers that are not finite. The file itself is damaged, whatever the precision.</summary>
public sealed class DamagedWeightException : CheckpointException
{
    internal DamagedWeightException(string path, string component, string weight)
        : base(
            path,
            $"{weight} of {path}, a weight of the part '{component}', holds numbers that are not finite (NaN or infinity)",
            "finite numbers",
            "The checkpoint is damaged: fetch it again, or take another edition of it.")
    {
        Component = component;
        Weight = weight;
    }

    /// <summary>The part of the model that the weight belongs to.</summary>
    public string Component { get; }

    /// <summary>The weight.</summary>
    public string Weight { get; }
}
