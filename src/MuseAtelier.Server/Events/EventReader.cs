namespace MuseAtelier.Server.Events;

/// <summary>
/// The events that one reader has not read yet: of each type and subject the newest one, in the order in which they were published. A
/// reader that falls so far behind that even these are too many loses them all, and gets the whole state instead.
/// </summary>
internal sealed class EventReader : IDisposable
{
    private const int MostEvents = 1024;
    private const int MostBytes = 4 << 20;

    private readonly Lock _gate = new();
    private readonly LinkedList<ServerEvent> _events = new();
    private readonly Dictionary<(string Type, string Subject), LinkedListNode<ServerEvent>> _newest = [];
    private readonly SemaphoreSlim _arrived = new(0, 1);
    private readonly Action<EventReader> _close;
    private long _bytes;
    private bool _isBehind = true;

    /// <summary>Creates a reader, whose first answer is that it needs the state.</summary>
    /// <param name="close">Removes it from the hub.</param>
    public EventReader(Action<EventReader> close) => _close = close;

    /// <summary>Bytes of the events that wait.</summary>
    public long WaitingBytes
    {
        get
        {
            lock (_gate) return _bytes;
        }
    }

    /// <summary>Takes an event. Never waits.</summary>
    public void Take(ServerEvent published)
    {
        lock (_gate)
        {
            // The state that the reader gets next is newer than this event.
            if (_isBehind) return;
            (string, string) key = (published.Type, published.Subject);
            if (_newest.Remove(key, out LinkedListNode<ServerEvent>? older)) Drop(older);
            _newest.Add(key, _events.AddLast(published));
            _bytes += published.Data.Length;
            if (_events.Count > MostEvents || _bytes > MostBytes) FallBehind();
            if (_arrived.CurrentCount == 0) _arrived.Release();
        }
    }

    /// <summary>Whether the reader needs the whole state next. Events that are published from now on are kept for it.</summary>
    public bool TakeBehind()
    {
        lock (_gate)
        {
            bool isBehind = _isBehind;
            _isBehind = false;
            return isBehind;
        }
    }

    /// <summary>The oldest event that waits; null if none does.</summary>
    public ServerEvent? TryRead()
    {
        lock (_gate)
        {
            if (_events.First is not { } first) return null;
            _newest.Remove((first.Value.Type, first.Value.Subject));
            Drop(first);
            return first.Value;
        }
    }

    /// <summary>Waits until there may be something to read.</summary>
    /// <returns>False if nothing came in this time.</returns>
    public Task<bool> WaitAsync(TimeSpan time, CancellationToken cancellationToken) => _arrived.WaitAsync(time, cancellationToken);

    /// <summary>Leaves the hub.</summary>
    public void Dispose() => _close(this);

    private void Drop(LinkedListNode<ServerEvent> node)
    {
        _events.Remove(node);
        _bytes -= node.Value.Data.Length;
    }

    private void FallBehind()
    {
        _events.Clear();
        _newest.Clear();
        _bytes = 0;
        _isBehind = true;
    }
}
