using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Pinned host memory. The system never moves it, so that the card copies from it by itself at the bus's full speed. The holder disposes
/// it.
/// </summary>
internal sealed class PinnedBuffer : IDisposable
{
    /// <summary>Allocates the memory.</summary>
    /// <param name="bytes">Size in bytes.</param>
    /// <exception cref="CudaException">The system has no more pinned memory.</exception>
    public PinnedBuffer(long bytes)
    {
        int code = CudaRuntime.HostAlloc(out nint address, (nuint)bytes, CudaRuntime.HostAllocPortable);
        CudaRuntime.Check(code, nameof(CudaRuntime.HostAlloc));
        (Address, Bytes) = (address, bytes);
    }

    /// <summary>Address of its first byte; 0 once it is disposed.</summary>
    public nint Address { get; private set; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Allocates a buffer; null where the system has no more pinned memory.</summary>
    public static PinnedBuffer? TryTake(long bytes)
    {
        try
        {
            return new PinnedBuffer(bytes);
        }
        catch (CudaException exception) when (exception.Code == CudaRuntime.ErrorMemoryAllocation)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Address == 0) return;
        CudaRuntime.Ignore(CudaRuntime.FreeHost(Address));
        Address = 0;
    }
}
