namespace MuseAtelier.Cuda.Devices;

/// <summary>Alignment of device memory.</summary>
internal static class DeviceMemory
{
    /// <summary>Every address is a multiple of this many bytes: cudaMalloc returns such addresses, and kernels read them fastest.</summary>
    public const long Alignment = 256;

    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
