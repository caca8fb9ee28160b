using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A point in a stream's work that another stream or the host can wait for.</summary>
internal sealed class CudaEvent : IDisposable
{
    private nint _handle;

    /// <summary>Creates the event, which marks nothing yet. It measures no time.</summary>
    public CudaEvent()
    {
        int code = CudaRuntime.EventCreateWithFlags(out _handle, CudaRuntime.EventDisableTiming);
        CudaRuntime.Check(code, nameof(CudaRuntime.EventCreateWithFlags));
    }

    /// <summary>CUDA's handle; 0 once it is disposed.</summary>
    public nint Handle => _handle;

    /// <summary>Creates several events; the caller disposes each.</summary>
    public static CudaEvent[] Create(int count)
    {
        var events = new List<CudaEvent>(count);
        try
        {
            for (int i = 0; i < count; i++) events.Add(new CudaEvent());
        }
        catch
        {
            foreach (CudaEvent created in events) created.Dispose();
            throw;
        }

        return [.. events];
    }

    /// <summary>Marks the end of the work that is queued on a stream now.</summary>
    public void Record(CudaStream stream) =>
        CudaRuntime.Check(CudaRuntime.EventRecord(_handle, stream.Handle), nameof(CudaRuntime.EventRecord));

    /// <summary>Blocks the host until the work that was marked last is done.</summary>
    public void Synchronize() => CudaRuntime.Check(CudaRuntime.EventSynchronize(_handle), nameof(CudaRuntime.EventSynchronize));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle == 0) return;
        CudaRuntime.Ignore(CudaRuntime.EventDestroy(_handle));
        _handle = 0;
    }
}
