namespace MuseAtelier.Runtime;

/// <summary>
/// A queue of requests that one thread serves in the order of their arrival. A request that is cancelled while it waits leaves the queue at
/// once. Any thread may add requests, and one thread serves them.
/// </summary>
internal sealed class RequestQueue
{
    // This must be an object rather than a Lock, because the serving thread waits on its monitor.
    private readonly object _gate = new();
    private readonly LinkedList<Request> _waiting = [];
    private bool _closed;

    /// <summary>The number of requests that wait.</summary>
    public int Length
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Adds a request.</summary>
    /// <typeparam name="T">Type of the result.</typeparam>
    /// <param name="function">The function, which runs on the serving thread in the execution context of this method's caller.</param>
    /// <param name="cancellationToken">Cancels the request while it waits. A running function must observe the token itself.</param>
    /// <returns>A task that ends with the function's result or failure, or cancelled if the request was cancelled or aborted.</returns>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    public Task<T> Add<T>(Func<T> function, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var request = new Request<T>(function, ExecutionContext.Capture(), cancellationToken);
        lock (_gate)
        {
            if (_closed) throw Closed();
            request.Place = _waiting.AddLast(request);
            Monitor.Pulse(_gate);
        }

        // The request must be in the queue before this registration, so that a token that is cancelled in between finds it.
        if (cancellationToken.CanBeCanceled)
        {
            request.Watch(cancellationToken.UnsafeRegister(
                static state =>
                {
                    (RequestQueue queue, Request request) = ((RequestQueue, Request))state!;
                    if (queue.Remove(request)) request.Cancel();
                },
                (this, (Request)request)));
        }

        return request.Result;
    }

    /// <summary>Serves requests until the queue is closed and empty.</summary>
    public void ServeAll()
    {
        while (Take() is { } request) request.Run();
    }

    /// <summary>Accepts no more requests. Those that wait are still served.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Cancels every request that waits.</summary>
    public void Abort()
    {
        Request[] waiting;
        lock (_gate)
        {
            waiting = [.. _waiting];
            foreach (Request request in waiting) Forget(request);
        }

        foreach (Request request in waiting) request.Cancel();
    }

    // Callers know the atelier, not its queue.
    private static ObjectDisposedException Closed() => new("MuseAtelier.Atelier");

    private Request? Take()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_closed) Monitor.Wait(_gate);
            if (_waiting.First is not { } first) return null;
            Forget(first.Value);
            return first.Value;
        }
    }

    private bool Remove(Request request)
    {
        lock (_gate)
        {
            if (request.Place is null) return false;
            Forget(request);
            return true;
        }
    }

    private void Forget(Request request)
    {
        _waiting.Remove(request.Place!);
        request.Place = null;
    }

    private abstract class Request
    {
        /// <summary>The request's node in the queue; null if it no longer waits. Guarded by the queue's lock.</summary>
        public LinkedListNode<Request>? Place { get; set; }

        public abstract void Run();

        public abstract void Cancel();
    }

    private sealed class Request<T>(Func<T> function, ExecutionContext? context, CancellationToken cancellationToken) : Request
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _gate = new();
        private CancellationTokenRegistration _registration;
        private bool _hasLeft;

        public Task<T> Result => _result.Task;

        public void Watch(CancellationTokenRegistration registration)
        {
            lock (_gate)
            {
                if (!_hasLeft)
                {
                    _registration = registration;
                    return;
                }
            }

            registration.Unregister();
        }

        public override void Run()
        {
            Unwatch();
            if (context is null) Finish();
            else ExecutionContext.Run(context, static request => ((Request<T>)request!).Finish(), this);
        }

        public override void Cancel()
        {
            Unwatch();
            _result.TrySetCanceled(cancellationToken.IsCancellationRequested ? cancellationToken : new CancellationToken(canceled: true));
        }

        private void Unwatch()
        {
            CancellationTokenRegistration registration;
            lock (_gate)
            {
                _hasLeft = true;
                registration = _registration;
            }

            registration.Unregister();
        }

        private void Finish()
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                _result.SetResult(function());
            }
            catch (OperationCanceledException exception)
            {
                CancellationToken token = cancellationToken.IsCancellationRequested ? cancellationToken : exception.CancellationToken;
                _result.SetCanceled(token.IsCancellationRequested ? token : new CancellationToken(canceled: true));
            }
#pragma warning disable CA1031 // The caller that awaits the result receives the exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _result.SetException(exception);
            }
        }
    }
}
