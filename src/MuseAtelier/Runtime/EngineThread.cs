namespace MuseAtelier.Runtime;

/// <summary>
/// The one thread on which an atelier runs all native code, because streams, handles and plan caches of ONNX Runtime belong to a thread.
/// The thread must have ended before <see cref="EndAsync"/> completes, because thread-local destructors of native libraries must not run
/// while the process exits.
/// </summary>
internal sealed class EngineThread : IAsyncDisposable
{
    /// <summary>The time that a process that exits without disposing its ateliers waits for all of them.</summary>
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(10);

    private static readonly HashSet<EngineThread> Running = [];

    private readonly RequestQueue _requests;
    private readonly CancellationTokenSource _aborting = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NativeThread _thread;
    private Action? _last;
    private Exception? _lastFailure;

    static EngineThread() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => EndAll();

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Name of the thread.</param>
    /// <param name="capacity">The number of counted requests that may wait, from 1.</param>
    public EngineThread(string name, int capacity = int.MaxValue)
    {
        _requests = new RequestQueue(capacity);
        _thread = new NativeThread(name, Run);
        // The thread must be listed after its start, because a thread that does not start must not be waited for. It cannot end before.
        _thread.Start();
        lock (Running) Running.Add(this);
    }

    /// <summary>The token that is cancelled when the thread ends without draining its requests. Running functions must stop.</summary>
    public CancellationToken Aborting => _aborting.Token;

    /// <summary>The number of counted requests that wait.</summary>
    public int QueueLength => _requests.Length;

    /// <summary>Whether a counted request is being run.</summary>
    public bool IsServing => _requests.IsServing;

    /// <summary>Whether the thread accepts requests.</summary>
    public bool IsOpen => _requests.IsOpen;

    /// <summary>
    /// Whether the calling code runs on this thread, or in a report of a position, for whose end this thread waits. Such code must not wait
    /// for the thread's end.
    /// </summary>
    public bool IsCurrent => _thread.IsCurrent || _requests.IsTelling;

    /// <summary>Runs a function of the engine's own on the thread, in the caller's execution context.</summary>
    /// <typeparam name="T">Type of the function's result.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Removes the function from the queue at once. A running function must observe the token.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<T> function, CancellationToken cancellationToken) =>
        _requests.Add(function, QueueTerms.Internal, cancellationToken);

    /// <summary>
    /// Runs a function like the other overload, and passes it a token that is cancelled with <see cref="Aborting"/> as well.
    /// </summary>
    /// <typeparam name="T">Type of the function's result.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Removes the function from the queue at once, and cancels the token that is passed to it.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> function, CancellationToken cancellationToken) =>
        RunAsync(function, QueueTerms.Internal, cancellationToken);

    /// <summary>Runs a function like the other overloads, after it has waited by given terms.</summary>
    /// <typeparam name="T">Type of the function's result.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="terms">How it waits.</param>
    /// <param name="cancellationToken">Removes the function from the queue at once, and cancels the token that is passed to it.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    /// <exception cref="QueueFullException">As many requests wait as may.</exception>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> function, QueueTerms terms, CancellationToken cancellationToken) => _requests.Add(
        () =>
        {
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Aborting);
            return function(stopping.Token);
        },
        terms,
        cancellationToken);

    /// <summary>Sets the function that the thread runs last, after all requests.</summary>
    public void AtEnd(Action last) => _last = last;

    /// <summary>Accepts no more functions, and ends when the thread has ended. May be called more than once, from any thread.</summary>
    /// <param name="drains">Whether to finish all requests. Otherwise waiting requests are cancelled, and so is
    /// <see cref="Aborting"/>.</param>
    public async Task EndAsync(bool drains)
    {
        _requests.Close();
        if (!drains)
        {
            _requests.Abort();
            await _aborting.CancelAsync().ConfigureAwait(false);
        }

        await _ended.Task.ConfigureAwait(false);
        // Only the thread's own destructors are left to run.
        AwaitEnd();
    }

    /// <summary>Refuses code that would wait for the end of the thread on which it runs.</summary>
    /// <exception cref="InvalidOperationException">The calling code runs on the thread (<see cref="IsCurrent"/>).</exception>
    public void ThrowIfCurrent()
    {
        if (!IsCurrent) return;
        throw new InvalidOperationException(
            "A progress sink disposes of its atelier and would wait for itself, because it runs on the atelier's thread. Dispose of the "
            + "atelier elsewhere, or call DisposeAsync in the sink without waiting for it.");
    }

    /// <summary>Like <see cref="EndAsync"/>, and blocks. Needs no thread of the pool.</summary>
    /// <param name="drains">Whether to finish all requests.</param>
    /// <exception cref="InvalidOperationException">The calling code runs on the thread (<see cref="IsCurrent"/>).</exception>
    public void End(bool drains)
    {
        ThrowIfCurrent();
        _requests.Close();
        if (!drains)
        {
            _requests.Abort();
            _aborting.Cancel();
        }

        AwaitEnd();
    }

    /// <summary>Finishes all requests, and ends the thread.</summary>
    public async ValueTask DisposeAsync() => await EndAsync(drains: true).ConfigureAwait(false);

    private void AwaitEnd()
    {
        _thread.Join();
        lock (Running) Running.Remove(this);
        // The thread's heap can be trimmed only after its destructors.
        NativeHeap.Trim();
        if (_lastFailure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_lastFailure);
    }

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
#pragma warning disable CA1031 // The caller that ends the thread receives the exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _lastFailure = exception;
        }

        _ended.SetResult();
    }
}
