namespace MuseAtelier.Runtime;

/// <summary>
/// The one thread on which an atelier runs everything native: streams, handles and plan caches of ONNX Runtime belong to a thread. The
/// thread has ended before <see cref="EndAsync"/> completes, because thread-local destructors of native libraries must not run while the
/// process exits.
/// </summary>
internal sealed class EngineThread : IAsyncDisposable
{
    /// <summary>How long a process that exits without disposing of its ateliers waits for all of them.</summary>
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(10);

    private static readonly HashSet<EngineThread> Running = [];

    private readonly RequestQueue _requests = new();
    private readonly CancellationTokenSource _aborting = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NativeThread _thread;
    private Action? _last;
    private Exception? _lastFailure;

    static EngineThread() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => EndAll();

    /// <summary>Starts the thread.</summary>
    public EngineThread(string name)
    {
        _thread = new NativeThread(name, Run);
        // Ends only when it is told to, which nobody does before it is listed; one that does not start must not be waited for.
        _thread.Start();
        lock (Running) Running.Add(this);
    }

    /// <summary>Cancelled when the thread is ended without waiting for what it does: what runs must end soon.</summary>
    public CancellationToken Aborting => _aborting.Token;

    /// <summary>Requests that wait.</summary>
    public int QueueLength => _requests.Length;

    /// <summary>Runs a function on the thread, after everything asked for before, in the caller's execution context.</summary>
    /// <typeparam name="T">What the function gives.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Takes the function from the queue at once; while it runs, the function sees to it.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<T> function, CancellationToken cancellationToken) => _requests.Add(function, cancellationToken);

    /// <summary>
    /// Runs a function like the other overload, and gives it a token that is cancelled with <see cref="Aborting"/> as well.
    /// </summary>
    /// <typeparam name="T">What the function gives.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Takes the function from the queue at once, and cancels the token that it is given.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> function, CancellationToken cancellationToken) => _requests.Add(
        () =>
        {
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Aborting);
            return function(stopping.Token);
        },
        cancellationToken);

    /// <summary>Sets what the thread runs as the last thing before it ends, after every request.</summary>
    public void AtEnd(Action last) => _last = last;

    /// <summary>Accepts no more functions, and waits until the thread has ended.</summary>
    /// <param name="drains">Whether functions that wait or run are finished; else those that wait are cancelled, and <see cref="Aborting"/>
    /// is.</param>
    public async Task EndAsync(bool drains)
    {
        _requests.Close();
        if (!drains)
        {
            _requests.Abort();
            await _aborting.CancelAsync().ConfigureAwait(false);
        }

        await _ended.Task.ConfigureAwait(false);
        // Nothing is left to run but the thread's own destructors. Only then is its heap free as well.
        _thread.Join();
        lock (Running) Running.Remove(this);
        NativeHeap.Trim();
        if (_lastFailure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_lastFailure);
    }

    /// <summary>Finishes what waits and runs, and ends the thread.</summary>
    public async ValueTask DisposeAsync() => await EndAsync(drains: true).ConfigureAwait(false);

    private static void EndAll()
    {
        EngineThread[] running;
        lock (Running) running = [.. Running];
        EngineThread[] others = [.. running.Where(thread => !thread._thread.IsCurrent)];
        foreach (EngineThread thread in others)
        {
            thread._requests.Close();
            thread._requests.Abort();
            thread._aborting.Cancel();
        }

        long end = Environment.TickCount64 + (long)ExitPatience.TotalMilliseconds;
        foreach (EngineThread thread in others)
            thread._thread.Join(TimeSpan.FromMilliseconds(Math.Max(0, end - Environment.TickCount64)));
    }

    private void Run()
    {
        _requests.ServeAll();
        try
        {
            _last?.Invoke();
        }
#pragma warning disable CA1031 // Whoever ends the thread is told of it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _lastFailure = exception;
        }

        _ended.SetResult();
    }
}
