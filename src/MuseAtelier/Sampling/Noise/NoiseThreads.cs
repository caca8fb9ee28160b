using System.Runtime.ExceptionServices;

namespace MuseAtelier.Sampling;

/// <summary>Work that consists of independent parts.</summary>
internal interface INoiseWork
{
    /// <summary>Does a part. Called by several threads at once; must not allocate.</summary>
    /// <param name="part">The part, from 0.</param>
    void Do(int part);
}

/// <summary>
/// Threads that do the parts of a work together with the thread that asks for it. They sleep between two works, and allocate nothing.
/// </summary>
internal sealed class NoiseThreads : IDisposable
{
    /// <summary>The most threads. A draw has some twenty parts, and more threads would wait for each other.</summary>
    public const int Most = 8;

    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _ended = new(0);
    private readonly List<Thread> _helpers = [];
    private INoiseWork? _work;
    private Exception? _failure;
    private int _parts;
    private int _next;

    /// <summary>Starts the threads; fewer if the system refuses one.</summary>
    /// <param name="count">The number of threads, with the one that asks; 1 to <see cref="Most"/>.</param>
    public NoiseThreads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Most);
        try
        {
            for (int i = 1; i < count; i++)
            {
                var helper = new Thread(Help) { IsBackground = true, Name = "MuseAtelier noise" };
                helper.UnsafeStart();
                _helpers.Add(helper);
            }
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            // The threads that run do the same work in more time.
        }
    }

    /// <summary>As many threads as the process has processors, up to <see cref="Most"/>.</summary>
    public static int Usual => Math.Clamp(Environment.ProcessorCount, 1, Most);

    /// <summary>Does all parts of a work, and returns when they are done.</summary>
    /// <param name="work">The work; a failure of a part is thrown here.</param>
    /// <param name="parts">The number of parts.</param>
    public void Run(INoiseWork work, int parts)
    {
        if (parts == 0) return;
        _work = work;
        _parts = parts;
        _next = 0;
        int helpers = Math.Min(_helpers.Count, parts - 1);
        if (helpers > 0) _ = _begun.Release(helpers);
        DoParts();
        for (int i = 0; i < helpers; i++) _ended.Wait();
        _work = null;
        if (Interlocked.Exchange(ref _failure, null) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Ends the threads, and waits until they have ended.</summary>
    public void Dispose()
    {
        if (_helpers.Count > 0) _ = _begun.Release(_helpers.Count);
        foreach (Thread helper in _helpers) helper.Join();
        _helpers.Clear();
        _begun.Dispose();
        _ended.Dispose();
    }

    private void Help()
    {
        while (true)
        {
            _begun.Wait();
            if (_work is null) return;
            DoParts();
            _ = _ended.Release();
        }
    }

    private void DoParts()
    {
        try
        {
            for (int part = Interlocked.Increment(ref _next) - 1; part < _parts; part = Interlocked.Increment(ref _next) - 1)
                _work!.Do(part);
        }
        catch (Exception exception)
        {
            // A thread must not end the process. The other threads do what is left; the thread that asked throws.
            _ = Interlocked.CompareExchange(ref _failure, exception, null);
        }
    }
}
