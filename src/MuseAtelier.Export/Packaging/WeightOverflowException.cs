using System.Globalization;
using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>A weight exceeds the range of fp16 in a part of the model that runs in fp16.</summary>
public sealed class WeightOverflowException : CheckpointException
{
    internal WeightOverflowException(string path, string weight, float largest)
        : base(
            path,
            $"{weight} in {path} reaches {largest.ToString(CultureInfo.InvariantCulture)}",
            "finite values up to 65,504",
            "The file is damaged, or the model is not meant for fp16; export that part in fp32.") =>
            Weight = weight;

    /// <summary>The weight.</summary>
    public string Weight { get; }
}
