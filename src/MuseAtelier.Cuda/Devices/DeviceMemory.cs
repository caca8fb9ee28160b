namespace MuseAtelier.Cuda.Devices;

/// <summary>How device memory is cut.</summary>
internal static class DeviceMemory
{
    /// <summary>Bytes that every address is a multiple of: what cudaMalloc gives, and what kernels read fastest.</summary>
    public const long Alignment = 256;

    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
