using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Host memory that stays in place, so that the card copies from it by itself at the bus's full speed. Its holder disposes it.</summary>
internal sealed class PinnedBuffer : IDisposable
{
    /// <exception cref="CudaException">The system gives no more such memory.</exception>
    public PinnedBuffer(long bytes)
    {
        CudaRuntime.Check(CudaRuntime.HostAlloc(out nint address, (nuint)bytes, CudaRuntime.HostAllocPortable), nameof(CudaRuntime.HostAlloc));
        (Address, Bytes) = (address, bytes);
    }

    public nint Address { get; private set; }

    public long Bytes { get; }

    /// <summary>Takes such memory, or null where the system gives no more.</summary>
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
