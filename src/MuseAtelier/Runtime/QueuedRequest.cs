namespace MuseAtelier.Runtime;

/// <summary>A request of a <see cref="RequestQueue"/>. As a work item, it tells its caller the position.</summary>
/// <param name="queue">The queue.</param>
/// <param name="terms">How it waits.</param>
internal abstract class QueuedRequest(RequestQueue queue, QueueTerms terms) : IThreadPoolWorkItem
{
    // Held during a report, so that the function begins after it.
    private readonly Lock _telling = new();
    private readonly Lock _gate = new();
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private CancellationTokenRegistration _registration;
    private bool _hasLeft;

    /// <summary>The queue.</summary>
    public RequestQueue Queue { get; } = queue;

    /// <summary>How the request waits.</summary>
    public QueueTerms Terms { get; } = terms;

    /// <summary>The request's node in the queue; null if it does not wait. Guarded by the queue's lock.</summary>
    public LinkedListNode<QueuedRequest>? Place { get; set; }

    /// <summary>The number of requests before it when the queue was last looked through. Guarded by the queue's lock.</summary>
    public int Position { get; set; }

    /// <summary>The position that the caller was told last. Guarded by the queue's lock once the request is queued.</summary>
    public int Told { get; set; }

    /// <summary>Whether a report is queued or being made. Guarded by the queue's lock.</summary>
    public bool HasNews { get; set; }

    /// <summary>The failure of a report; null if none has failed.</summary>
    protected Exception? TellingFailure { get; private set; }

    /// <summary>Keeps the registration that removes the request from the queue; ends it at once if the request has left.</summary>
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

    /// <summary>Runs the function in the context of the request's caller. Called once it has left the queue.</summary>
    public void Run()
    {
        Unwatch();
        // A report that is being made must end first.
        lock (_telling) { }
        if (_context is null) Finish();
        else ExecutionContext.Run(_context, static request => ((QueuedRequest)request!).Finish(), this);
    }

    /// <summary>Ends the request cancelled. Called once it has left the queue.</summary>
    public void Cancel()
    {
        Unwatch();
        EndCancelled();
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        if (_context is null) TellAll();
        else ExecutionContext.Run(_context, static request => ((QueuedRequest)request!).TellAll(), this);
    }

    /// <summary>Runs the function and ends the request with its result.</summary>
    protected abstract void Finish();

    /// <summary>Ends the request cancelled.</summary>
    protected abstract void EndCancelled();

    /// <summary>Ends the request with a failure.</summary>
    protected abstract void Fail(Exception exception);

    private void TellAll()
    {
        lock (_telling)
        {
            try
            {
                while (Queue.TakeNews(this) is { } position) Queue.Tell(Terms.Moved!, position);
                return;
            }
#pragma warning disable CA1031 // The caller that awaits the result receives the exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                TellingFailure = exception;
            }
        }

        if (!Queue.Remove(this)) return;
        Unwatch();
        Fail(TellingFailure);
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
}
