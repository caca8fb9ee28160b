namespace MuseAtelier.Cuda;

/// <summary>The state of a part that CUDA needs.</summary>
public enum CudaPartState
{
    /// <summary>The part is there, and its version fits.</summary>
    Fits,

    /// <summary>The part is not there.</summary>
    Missing,

    /// <summary>The part is there, but its version does not fit.</summary>
    WrongVersion,

    /// <summary>The part is there, but does not start.</summary>
    Fails,

    /// <summary>The part was not tried, because a part that it needs is missing.</summary>
    NotTried,
}

/// <summary>A part that CUDA needs: the driver or a library.</summary>
public sealed record CudaPart
{
    internal CudaPart(string name, CudaPartState state, string found, string expected, string remedy)
    {
        Name = name;
        State = state;
        Found = found;
        Expected = expected;
        Remedy = remedy;
    }

    /// <summary>Its name.</summary>
    public string Name { get; init; }

    /// <summary>Its state.</summary>
    public CudaPartState State { get; init; }

    /// <summary>What was found, in words.</summary>
    public string Found { get; init; }

    /// <summary>What was expected, in words.</summary>
    public string Expected { get; init; }

    /// <summary>What to install or do; empty where the part fits.</summary>
    public string Remedy { get; init; }

    /// <summary>Its version; null if unknown.</summary>
    public Version? Version { get; init; }
}

/// <summary>An NVIDIA card.</summary>
public sealed record CudaCard
{
    internal CudaCard(int index, string name, Version computeCapability, long memoryBytes)
    {
        Index = index;
        Name = name;
        ComputeCapability = computeCapability;
        MemoryBytes = memoryBytes;
    }

    /// <summary>Its number, as CUDA counts them.</summary>
    public int Index { get; init; }

    /// <summary>Its name.</summary>
    public string Name { get; init; }

    /// <summary>The version of the chip's features, such as 9.0.</summary>
    public Version ComputeCapability { get; init; }

    /// <summary>Its memory in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of its free memory; null if the driver does not report them.</summary>
    public long? FreeBytes { get; init; }
}
