using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A point in a stream's work that another stream, or the host, can wait for.</summary>
internal sealed class CudaEvent : IDisposable
{
    private nint _handle;

    public CudaEvent() => CudaRuntime.Check(CudaRuntime.EventCreateWithFlags(out _handle, CudaRuntime.EventDisableTiming), nameof(CudaRuntime.EventCreateWithFlags));

    /// <summary>Marks what the stream was asked for so far.</summary>
    public void Record(CudaStream stream) => CudaRuntime.Check(CudaRuntime.EventRecord(_handle, stream.Handle), nameof(CudaRuntime.EventRecord));

    /// <summary>Has a stream wait for what was marked last.</summary>
    public void Hold(CudaStream stream) => CudaRuntime.Check(CudaRuntime.StreamWaitEvent(stream.Handle, _handle, 0), nameof(CudaRuntime.StreamWaitEvent));

    /// <summary>Has the host wait for what was marked last.</summary>
    public void Synchronize() => CudaRuntime.Check(CudaRuntime.EventSynchronize(_handle), nameof(CudaRuntime.EventSynchronize));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle == 0) return;
        CudaRuntime.Ignore(CudaRuntime.EventDestroy(_handle));
        _handle = 0;
    }
}
