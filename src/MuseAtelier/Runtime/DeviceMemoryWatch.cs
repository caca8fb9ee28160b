namespace MuseAtelier.Runtime;

/// <summary>Asks again and again how much memory the process holds on a device, on a thread of its own, and keeps the most.</summary>
internal sealed class DeviceMemoryWatch : IDisposable
{
    private readonly ExecutionDevice _device;
    private readonly TimeSpan _interval;
    private readonly ManualResetEventSlim _ended = new(false);
    private readonly Thread? _thread;
    private long _peak;

    /// <summary>Begins to watch; a device that does not tell is not watched.</summary>
    public DeviceMemoryWatch(ExecutionDevice device, TimeSpan interval)
    {
        (_device, _interval) = (device, interval);
        if (!Look()) return;
        _thread = new Thread(Run) { IsBackground = true, Name = "MuseAtelier memory" };
        _thread.Start();
    }

    /// <summary>The most bytes that were held at once, as far as it was seen; null where the device does not tell.</summary>
    public long? PeakBytes => _thread is null ? null : Interlocked.Read(ref _peak);

    /// <summary>Begins a new peak with what is held now.</summary>
    public void Reset()
    {
        Interlocked.Exchange(ref _peak, 0);
        Look();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Set();
        _thread?.Join();
        _ended.Dispose();
    }

    private void Run()
    {
        while (!_ended.Wait(_interval)) Look();
    }

    private bool Look()
    {
        if (_device.ProcessBytes() is not { } bytes) return false;
        long peak = Interlocked.Read(ref _peak);
        while (bytes > peak)
        {
            long seen = Interlocked.CompareExchange(ref _peak, bytes, peak);
            if (seen == peak) break;
            peak = seen;
        }

        return true;
    }
}
