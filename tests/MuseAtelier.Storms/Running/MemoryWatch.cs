namespace MuseAtelier.Storms.Running;

/// <summary>Samples the anonymous memory of this process from its creation on, every 50 ms.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly Timer _timer;
    private readonly long? _before = HeldMemory.AnonymousBytes();
    private long _most;

    public MemoryWatch() => _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));

    /// <summary>Reports the memory, and fails where the process took more than is allowed beyond what it had at first.</summary>
    public void Report(StormReport report, int boundMib)
    {
        if (_before is not { } before)
        {
            report.Note("The memory of the process is not known on this system.");
            return;
        }

        Sample();
        double growth = Mib(_most - before);
        report.Figure("beforeMib", Mib(before));
        report.Figure("mostMib", Mib(_most));
        report.Figure("afterMib", Mib(HeldMemory.AnonymousBytes() ?? 0));
        if (growth > boundMib)
            report.Fail("memory", "all requests", FormattableString.Invariant($"{growth:F0} MiB more than before, {boundMib} are allowed"));
    }

    public void Dispose() => _timer.Dispose();

    private void Sample()
    {
        long now = HeldMemory.AnonymousBytes() ?? 0;
        for (long most = Volatile.Read(ref _most); now > most; most = Volatile.Read(ref _most))
            if (Interlocked.CompareExchange(ref _most, now, most) == most)
                return;
    }

    private static double Mib(long bytes) => bytes / (double)(1 << 20);
}
