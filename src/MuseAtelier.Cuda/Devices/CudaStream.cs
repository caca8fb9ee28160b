using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A stream of our own, which waits for no other unless told to.</summary>
internal sealed class CudaStream : IDisposable
{
    private nint _handle;

    public CudaStream() => CudaRuntime.Check(CudaRuntime.StreamCreateWithFlags(out _handle, CudaRuntime.StreamNonBlocking), nameof(CudaRuntime.StreamCreateWithFlags));

    public nint Handle => _handle;

    /// <summary>Asks for a copy; host memory must be pinned, and stay until it is done.</summary>
    public void Copy(nint from, nint to, long bytes, int kind) => CudaRuntime.Check(CudaRuntime.MemcpyAsync(to, from, (nuint)bytes, kind, _handle), nameof(CudaRuntime.MemcpyAsync));

    /// <summary>Has the host wait for all that the stream was asked for.</summary>
    public void Synchronize() => CudaRuntime.Check(CudaRuntime.StreamSynchronize(_handle), nameof(CudaRuntime.StreamSynchronize));

    /// <summary>Has the host wait for all that the stream was asked for, and reports no failure: for calls that clean up.</summary>
    public void Settle() => CudaRuntime.Ignore(CudaRuntime.StreamSynchronize(_handle));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle == 0) return;
        CudaRuntime.Ignore(CudaRuntime.StreamDestroy(_handle));
        _handle = 0;
    }
}
