using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A stream of the engine's own. It does not synchronize with the default stream, and waits for another stream only where
/// <see cref="Wait"/> says so.
/// </summary>
internal sealed class CudaStream : IDisposable
{
    private nint _handle;

    /// <summary>Creates the stream on the thread's current card.</summary>
    public CudaStream()
    {
        int code = CudaRuntime.StreamCreateWithFlags(out _handle, CudaRuntime.StreamNonBlocking);
        CudaRuntime.Check(code, nameof(CudaRuntime.StreamCreateWithFlags));
    }

    /// <summary>CUDA's handle; 0 once it is disposed.</summary>
    public nint Handle => _handle;

    /// <summary>Queues a copy. Host memory must be pinned, and must stay allocated until the copy is done.</summary>
    /// <param name="from">Address of the first byte to read.</param>
    /// <param name="to">Address of the first byte to write.</param>
    /// <param name="bytes">Size in bytes.</param>
    /// <param name="kind">The direction: one of CUDA's cudaMemcpyKind.</param>
    public void Copy(nint from, nint to, long bytes, int kind) =>
        CudaRuntime.Check(CudaRuntime.MemcpyAsync(to, from, (nuint)bytes, kind, _handle), nameof(CudaRuntime.MemcpyAsync));

    /// <summary>Makes work that is queued later wait for the work that an event marked last. The host does not wait.</summary>
    public void Wait(CudaEvent marked) =>
        CudaRuntime.Check(CudaRuntime.StreamWaitEvent(_handle, marked.Handle, 0), nameof(CudaRuntime.StreamWaitEvent));

    /// <summary>Blocks the host until all queued work is done.</summary>
    public void Synchronize() => CudaRuntime.Check(CudaRuntime.StreamSynchronize(_handle), nameof(CudaRuntime.StreamSynchronize));

    /// <summary>Blocks the host until all queued work is done, and reports no failure, for calls that clean up.</summary>
    public void Settle() => CudaRuntime.Ignore(CudaRuntime.StreamSynchronize(_handle));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle == 0) return;
        CudaRuntime.Ignore(CudaRuntime.StreamDestroy(_handle));
        _handle = 0;
    }
}
