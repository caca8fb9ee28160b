namespace MuseAtelier.Export.Merging;

/// <summary>How the weights of checkpoints are merged (AUTOMATIC1111, modules/extras.py, run_modelmerger).</summary>
internal enum MergeMode
{
    /// <summary>The weighted sum of two: A (1 - w) + B w.</summary>
    Sum,

    /// <summary>The first one and the weighted difference of the two others: A + (B - C) w.</summary>
    Difference,
}

/// <summary>The checkpoints to merge, each a file or the folder of a model in several files.</summary>
internal sealed record MergeOptions
{
    /// <summary>The largest weight, and its negative the smallest one. Weights outside of 0 to 1 extrapolate.</summary>
    public const float LargestWeight = 10;

    /// <summary>Path of A. The merged file has its tensors, in its number types.</summary>
    public required string First { get; init; }

    /// <summary>Path of B.</summary>
    public required string Second { get; init; }

    /// <summary>Path of C; only with <see cref="MergeMode.Difference"/>.</summary>
    public string? Third { get; init; }

    /// <summary>The formula.</summary>
    public MergeMode Mode { get; init; }

    /// <summary>The weight w, a finite number.</summary>
    public required float Weight { get; init; }

    /// <summary>Whether the merged weights are stored in fp16, whatever type A has.</summary>
    public bool InFp16 { get; init; }

    /// <summary>The checkpoints in the order of the formula.</summary>
    public IReadOnlyList<string> Checkpoints => Third is null ? [First, Second] : [First, Second, Third];

    /// <summary>The checkpoint that the formula leaves as it is, which needs no arithmetic; null for other weights.</summary>
    public string? Unchanged
    {
        get
        {
            if (Weight == 0) return First;
            return Weight == 1 && Mode == MergeMode.Sum ? Second : null;
        }
    }

    /// <summary>Checks the numbers and that the formula has its checkpoints.</summary>
    /// <exception cref="ArgumentException">The weight is out of range, or a checkpoint is missing or not needed.</exception>
    public void Check()
    {
        if (!(Math.Abs(Weight) <= LargestWeight))
            throw new ArgumentException($"The weight is {Weight}; a number from -{LargestWeight} to {LargestWeight} is expected.");
        if (Third is null != (Mode == MergeMode.Sum))
            throw new ArgumentException("A sum has two checkpoints, and a difference three.");
    }
}
