namespace MuseAtelier.Runtime;

/// <summary>
/// Samples, on a thread of its own, how much memory the process and the sessions' arena hold on a device, and keeps the peaks.
/// </summary>
internal sealed class DeviceMemoryWatch : IDisposable
{
    private const long Unknown = -1;

    private readonly ExecutionDevice _device;
    private readonly TimeSpan _interval;
    private readonly ManualResetEventSlim _ended = new(false);
    private readonly NativeThread? _thread;
    private long _peak = Unknown;
    private long _arenaPeak = Unknown;
    private long _last = Unknown;

    /// <summary>Starts to sample. Does nothing for a device that does not report its memory.</summary>
    public DeviceMemoryWatch(ExecutionDevice device, TimeSpan interval)
    {
        (_device, _interval) = (device, interval);
        Look();
        if (PeakBytes is null && device.ArenaStatistics is null) return;
        _thread = new NativeThread("MuseAtelier memory", Run);
        _thread.Start();
    }

    /// <summary>Peak bytes of the process among the samples; null if the device does not report them.</summary>
    public long? PeakBytes => Known(ref _peak);

    /// <summary>Bytes of the process in the last sample; null if the device does not report them.</summary>
    public long? LastBytes => Known(ref _last);

    /// <summary>Peak bytes of the arena among the samples; null if there is no arena with counters.</summary>
    public long? ArenaPeakBytes => Known(ref _arenaPeak);

    /// <summary>Restarts both peaks at the current values.</summary>
    public void Reset()
    {
        Interlocked.Exchange(ref _peak, Unknown);
        Interlocked.Exchange(ref _arenaPeak, Unknown);
        Look();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Set();
        _thread?.Join();
        _ended.Dispose();
    }

    private static long? Known(ref long peak) => Interlocked.Read(ref peak) is var bytes and not Unknown ? bytes : null;

    private static void Raise(ref long peak, long bytes)
    {
        long before = Interlocked.Read(ref peak);
        while (bytes > before)
        {
            long seen = Interlocked.CompareExchange(ref peak, bytes, before);
            if (seen == before) break;
            before = seen;
        }
    }

    private void Run()
    {
        while (!_ended.Wait(_interval)) Look();
    }

    private void Look()
    {
        if (_device.ProcessBytes() is { } bytes)
        {
            Interlocked.Exchange(ref _last, bytes);
            Raise(ref _peak, bytes);
        }

        if (_device.ArenaStatistics?.Read() is { } arena) Raise(ref _arenaPeak, arena.Held);
    }
}
