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
        // The thread must be listed after its start, because a thread that does not start must not be waited for. It cannot end before.
        _thread.Start();
        lock (Running) Running.Add(this);
    }

    /// <summary>The token that is cancelled when the thread ends without draining its requests. Running functions must stop.</summary>
    public CancellationToken Aborting => _aborting.Token;

    /// <summary>The number of requests that wait.</summary>
    public int QueueLength => _requests.Length;

    /// <summary>Runs a function on the thread, after all earlier requests, in the caller's execution context.</summary>
    /// <typeparam name="T">Type of the function's result.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Removes the function from the queue at once. A running function must observe the token.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<T> function, CancellationToken cancellationToken) => _requests.Add(function, cancellationToken);

    /// <summary>
    /// Runs a function like the other overload, and passes it a token that is cancelled with <see cref="Aborting"/> as well.
    /// </summary>
    /// <typeparam name="T">Type of the function's result.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="cancellationToken">Removes the function from the queue at once, and cancels the token that is passed to it.</param>
    /// <exception cref="ObjectDisposedException">The thread is ending.</exception>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> function, CancellationToken cancellationToken) => _requests.Add(
        () =>
        {
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Aborting);
            return function(stopping.Token);
        },
        cancellationToken);

    /// <summary>Sets the function that the thread runs last, after all requests.</summary>
    public void AtEnd(Action last) => _last = last;

    /// <summary>Accepts no more functions, and waits until the thread has ended.</summary>
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
        // Only the thread's own destructors are left to run. Its heap can be trimmed only after them.
        _thread.Join();
        lock (Running) Running.Remove(this);
        NativeHeap.Trim();
        if (_lastFailure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_lastFailure);
    }

    /// <summary>Finishes all requests, and ends the thread.</summary>
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
#pragma warning disable CA1031 // The caller that ends the thread receives the exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _lastFailure = exception;
        }

        _ended.SetResult();
    }
}
