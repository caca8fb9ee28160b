using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Device memory outside ONNX Runtime's arenas.</summary>
internal static class DeviceMemory
{
    /// <summary>Every address is a multiple of this many bytes: cudaMalloc returns such addresses, and kernels read them fastest.</summary>
    public const long Alignment = 256;

    /// <summary>The next multiple of <see cref="Alignment"/>.</summary>
    public static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    /// <summary>Allocates memory on the thread's current card; the caller disposes it.</summary>
    /// <param name="bytes">Size in bytes.</param>
    /// <param name="usage">Counts the memory until it is disposed.</param>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public static NativeBuffer Allocate(long bytes, DeviceUsage usage)
    {
        CudaRuntime.Check(CudaRuntime.Malloc(out nint address, (nuint)bytes), nameof(CudaRuntime.Malloc), bytes);
        usage.Take(bytes);
        return new NativeBuffer(address, bytes, address =>
        {
            CudaRuntime.Ignore(CudaRuntime.Free(address));
            usage.GiveBack(bytes);
        });
    }
}
