namespace MuseAtelier.Runtime;

/// <summary>
/// A queue of requests that one thread serves: those of higher priority first, and in the order of their arrival within a priority. A
/// request that is cancelled while it waits leaves the queue at once. Any thread may add requests, and one thread serves them.
/// </summary>
/// <param name="capacity">The number of counted requests that may wait, from 1.</param>
internal sealed class RequestQueue(int capacity = int.MaxValue) : IThreadPoolWorkItem
{
    [ThreadStatic]
    private static RequestQueue? _telling;

    // This must be an object rather than a Lock, because the serving thread waits on its monitor.
    private readonly object _gate = new();

    // The waiting requests by priority, the highest first.
    private readonly LinkedList<QueuedRequest>[] _waiting = [new(), new(), new()];
    private int _counted;
    private int _reserved;
    private int _watched;
    private QueuedRequest? _served;
    private bool _closed;
    private bool _isUpdating;
    private bool _isOutdated;

    /// <summary>The number of counted requests that wait.</summary>
    public int Length
    {
        get
        {
            lock (_gate) return _counted;
        }
    }

    /// <summary>Whether a counted request is being served.</summary>
    public bool IsServing
    {
        get
        {
            lock (_gate) return _served is { Terms.IsCounted: true };
        }
    }

    /// <summary>Whether the queue accepts requests.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate) return !_closed;
        }
    }

    /// <summary>Whether the calling code runs within a report of a position to a request of this queue.</summary>
    public bool IsTelling => _telling == this;

    /// <summary>Adds a request.</summary>
    /// <typeparam name="T">Type of the result.</typeparam>
    /// <param name="function">The function, which runs on the serving thread in the execution context of this method's caller.</param>
    /// <param name="terms">How the request waits. A failure of its first report is thrown here, and of a later one ends it.</param>
    /// <param name="cancellationToken">Cancels the request while it waits. A running function must observe the token itself.</param>
    /// <returns>A task that ends with the function's result or failure, or cancelled if the request was cancelled or aborted.</returns>
    /// <exception cref="ObjectDisposedException">The queue is closed.</exception>
    /// <exception cref="QueueFullException">As many requests wait as may.</exception>
    public Task<T> Add<T>(Func<T> function, QueueTerms terms, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var request = new QueuedFunction<T>(this, function, terms, cancellationToken);
        if (terms.Moved is { } moved)
        {
            // The room in the queue must be reserved before the report, and the report must come before the request can be served.
            request.Told = Reserve(terms);
            try
            {
                moved(request.Told);
            }
            catch
            {
                Unreserve();
                throw;
            }
        }

        Enter(request);
        // The request must be in the queue before this registration, so that a token that is cancelled in between finds it.
        if (cancellationToken.CanBeCanceled)
        {
            request.Watch(cancellationToken.UnsafeRegister(
                static state =>
                {
                    var request = (QueuedRequest)state!;
                    if (request.Queue.Remove(request)) request.Cancel();
                },
                request));
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
        QueuedRequest[] waiting;
        lock (_gate)
        {
            waiting = [.. _waiting.SelectMany(requests => requests)];
            foreach (QueuedRequest request in waiting) Forget(request);
        }

        foreach (QueuedRequest request in waiting) request.Cancel();
    }

    /// <summary>Takes a request out of the queue. Returns false if it does not wait.</summary>
    public bool Remove(QueuedRequest request)
    {
        lock (_gate)
        {
            if (request.Place is null) return false;
            Forget(request);
            return true;
        }
    }

    /// <summary>Ends the service of the request that <see cref="ServeAll"/> runs. Called before its task ends.</summary>
    public void EndService()
    {
        lock (_gate) _served = null;
    }

    /// <summary>Returns the position to report to a request; null if it does not wait, or if its position was reported.</summary>
    public int? TakeNews(QueuedRequest request)
    {
        lock (_gate)
        {
            request.HasNews = false;
            if (request.Place is null || request.Position == request.Told) return null;
            // The request must not be queued for a report again while the caller makes this one.
            request.HasNews = true;
            return request.Told = request.Position;
        }
    }

    /// <summary>Tells a request its position, so that <see cref="IsTelling"/> is true meanwhile.</summary>
    public void Tell(Action<int> moved, int position)
    {
        RequestQueue? before = _telling;
        _telling = this;
        try
        {
            moved(position);
        }
        finally
        {
            _telling = before;
        }
    }

    /// <summary>Finds the requests whose position has changed, and has each told on a thread of the pool.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        List<QueuedRequest> moved = [];
        while (true)
        {
            lock (_gate)
            {
                _isOutdated = false;
                FindMoved(moved);
            }

            // A report of each request is a work item of its own, so that a slow receiver does not hold up the others.
            foreach (QueuedRequest request in moved) ThreadPool.UnsafeQueueUserWorkItem(request, preferLocal: false);
            moved.Clear();
            lock (_gate)
            {
                _isUpdating = _isOutdated;
                if (!_isUpdating) return;
            }
        }
    }

    // Callers know the atelier, not its queue.
    private static ObjectDisposedException Closed() => new("MuseAtelier.Atelier");

    private static int IndexOf(GenerationPriority priority) => GenerationPriority.High - priority;

    // Returns the position that the request would have now.
    private int Reserve(QueueTerms terms)
    {
        lock (_gate)
        {
            RequireRoom(terms);
            _reserved++;
            return _waiting.Take(IndexOf(terms.Priority) + 1).Sum(requests => requests.Count);
        }
    }

    private void Unreserve()
    {
        lock (_gate) _reserved--;
    }

    private void Enter(QueuedRequest request)
    {
        bool isReserved = request.Terms.Moved is not null;
        lock (_gate)
        {
            if (isReserved) _reserved--;
            if (_closed) throw Closed();
            if (!isReserved) RequireRoom(request.Terms);
            request.Place = _waiting[IndexOf(request.Terms.Priority)].AddLast(request);
            if (request.Terms.IsCounted) _counted++;
            if (isReserved) _watched++;
            Update();
            Monitor.Pulse(_gate);
        }
    }

    private void RequireRoom(QueueTerms terms)
    {
        if (_closed) throw Closed();
        // An idle thread takes a request at once, so that one more may be added then.
        int most = _served is null && capacity < int.MaxValue ? capacity + 1 : capacity;
        if (!terms.MayExceedCapacity && _counted + _reserved >= most) throw new QueueFullException(capacity);
    }

    private QueuedRequest? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                LinkedList<QueuedRequest>? first = Array.Find(_waiting, requests => requests.Count > 0);
                if (first is not null)
                {
                    _served = first.First!.Value;
                    Forget(_served);
                    return _served;
                }

                if (_closed) return null;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Forget(QueuedRequest request)
    {
        request.Place!.List!.Remove(request.Place);
        request.Place = null;
        if (request.Terms.IsCounted) _counted--;
        if (request.Terms.Moved is not null) _watched--;
        Update();
    }

    // Has the changed positions told. Called with the lock, so it only makes sure that a thread of the pool looks for them.
    private void Update()
    {
        if (_watched == 0) return;
        _isOutdated = true;
        if (_isUpdating) return;
        _isUpdating = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void FindMoved(List<QueuedRequest> moved)
    {
        int position = 0;
        foreach (LinkedList<QueuedRequest> requests in _waiting)
        {
            foreach (QueuedRequest request in requests)
            {
                request.Position = position++;
                if (request.Terms.Moved is null || request.HasNews || request.Position == request.Told) continue;
                request.HasNews = true;
                moved.Add(request);
            }
        }
    }
}
