namespace MuseAtelier.Cuda;

/// <summary>What was found of a part that CUDA needs.</summary>
public enum CudaPartState
{
    /// <summary>There, and of a version that fits.</summary>
    Fits,

    /// <summary>Not there.</summary>
    Missing,

    /// <summary>There, in a version that does not fit.</summary>
    WrongVersion,

    /// <summary>There, but it does not start.</summary>
    Fails,

    /// <summary>Not looked at, because a part that it needs is missing.</summary>
    NotTried,
}

/// <summary>A part that CUDA needs: the driver or a library.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">What was found of it.</param>
/// <param name="Found">What was found, in words.</param>
/// <param name="Expected">What is needed, in words.</param>
/// <param name="Remedy">What to install or do; empty where it fits.</param>
public sealed record CudaPart(string Name, CudaPartState State, string Found, string Expected, string Remedy)
{
    /// <summary>Its version, where it tells.</summary>
    public Version? Version { get; init; }
}

/// <summary>An NVIDIA card.</summary>
/// <param name="Index">Its number, as CUDA counts.</param>
/// <param name="Name">Its name.</param>
/// <param name="ComputeCapability">NVIDIA's version of what the chip can do, such as 9.0.</param>
/// <param name="MemoryBytes">Its memory in bytes.</param>
public sealed record CudaCard(int Index, string Name, Version ComputeCapability, long MemoryBytes)
{
    /// <summary>Bytes of it that no program uses; null where the driver does not tell.</summary>
    public long? FreeBytes { get; init; }
}
