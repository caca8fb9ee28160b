using System.Collections.Concurrent;

namespace MuseAtelier.Tests.Support;

/// <summary>Keeps what is reported, in order, and lets a test act on it where it happens.</summary>
internal sealed class Reports<T>(Action<T>? act = null) : IProgress<T>
{
    private readonly ConcurrentQueue<T> _all = new();

    public IReadOnlyList<T> All => [.. _all];

    public void Report(T value)
    {
        _all.Enqueue(value);
        act?.Invoke(value);
    }
}
