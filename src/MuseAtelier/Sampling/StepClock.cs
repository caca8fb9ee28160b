using System.Diagnostics;

namespace MuseAtelier.Sampling;

/// <summary>Measures the evaluations of a denoising loop without allocating.</summary>
/// <param name="evaluations">The number of evaluations that are run.</param>
internal sealed class StepClock(int evaluations)
{
    private readonly TimeSpan[] _times = new TimeSpan[evaluations];
    private int _count;
    private long _begin;
    private long _bytesBefore;

    /// <summary>The time of each evaluation.</summary>
    public IReadOnlyList<TimeSpan> Times => _times;

    /// <summary>Managed bytes that the evaluations allocated on their thread.</summary>
    public long ManagedBytes { get; private set; }

    /// <summary>Begins an evaluation.</summary>
    public void Begin()
    {
        _begin = Stopwatch.GetTimestamp();
        _bytesBefore = GC.GetAllocatedBytesForCurrentThread();
    }

    /// <summary>Ends it.</summary>
    public void End()
    {
        ManagedBytes += GC.GetAllocatedBytesForCurrentThread() - _bytesBefore;
        _times[_count++] = Stopwatch.GetElapsedTime(_begin);
    }
}
