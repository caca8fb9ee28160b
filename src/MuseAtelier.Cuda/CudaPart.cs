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
/// <param name="Name">Its name.</param>
/// <param name="State">Its state.</param>
/// <param name="Found">What was found, in words.</param>
/// <param name="Expected">What was expected, in words.</param>
/// <param name="Remedy">What to install or do; empty where the part fits.</param>
public sealed record CudaPart(string Name, CudaPartState State, string Found, string Expected, string Remedy)
{
    /// <summary>Its version; null if unknown.</summary>
    public Version? Version { get; init; }
}

/// <summary>An NVIDIA card.</summary>
/// <param name="Index">Its number, as CUDA counts them.</param>
/// <param name="Name">Its name.</param>
/// <param name="ComputeCapability">The version of the chip's features, such as 9.0.</param>
/// <param name="MemoryBytes">Its memory in bytes.</param>
public sealed record CudaCard(int Index, string Name, Version ComputeCapability, long MemoryBytes)
{
    /// <summary>Bytes of its free memory; null if the driver does not report them.</summary>
    public long? FreeBytes { get; init; }
}
