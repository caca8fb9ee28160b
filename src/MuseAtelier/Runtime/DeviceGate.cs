namespace MuseAtelier.Runtime;

/// <summary>
/// Admits one engine at a time to a device that several engines of a process share. On a card all sessions of the process take their
/// working memory from one arena, and a captured step holds addresses in it, so two engines that run at once would use the same memory on
/// two streams. Engines are admitted in the order of their requests. The admitted engine may enter again, from any of its threads.
/// </summary>
internal sealed class DeviceGate
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private object? _holder;
    private object? _lastHolder;
    private int _entries;
    private long _handovers;

    /// <summary>
    /// The number of times that the device passed from one engine to another. While it does not change, no other engine has used the
    /// device. Thread-safe.
    /// </summary>
    public long Handovers => Interlocked.Read(ref _handovers);

    /// <summary>Waits until the engine is admitted.</summary>
    /// <param name="engine">The engine; compared by reference.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lease, whose disposal ends the admission.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before the engine was admitted.</exception>
    public DeviceLease Enter(object engine, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (_gate)
        {
            if (_holder == engine || (_holder is null && _waiting.Count == 0))
            {
                Admit(engine);
                return new DeviceLease(this);
            }

            waiter = new Waiter(engine);
            _waiting.AddLast(waiter);
        }

        using (waiter)
        using (cancellationToken.UnsafeRegister(static waiter => ((Waiter)waiter!).Wake(), waiter))
        {
            waiter.Wait();
            lock (_gate)
            {
                if (waiter.IsAdmitted) return new DeviceLease(this);
                _waiting.Remove(waiter);
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Ends one entry of the admitted engine. The next engine is admitted when no entry is left.</summary>
    internal void Leave()
    {
        lock (_gate)
        {
            if (--_entries > 0) return;
            _lastHolder = _holder;
            _holder = null;
            while (_waiting.First is { } first && (_holder is null || _holder == first.Value.Engine))
            {
                _waiting.RemoveFirst();
                Admit(first.Value.Engine);
                first.Value.Admit();
            }
        }
    }

    /// <summary>Drops the reference to an engine that is disposed, so that the gate does not keep it alive.</summary>
    public void Forget(object engine)
    {
        lock (_gate)
            if (_lastHolder == engine) _lastHolder = null;
    }

    private void Admit(object engine)
    {
        // This counts as a handover even if the last engine is unknown, because a disposed engine may have changed the arena.
        if (_holder is null && _lastHolder != engine) Interlocked.Increment(ref _handovers);
        _holder = engine;
        _entries++;
    }

    private sealed class Waiter(object engine) : IDisposable
    {
        private readonly ManualResetEventSlim _awake = new(false);

        public object Engine { get; } = engine;

        public bool IsAdmitted { get; private set; }

        public void Admit()
        {
            IsAdmitted = true;
            _awake.Set();
        }

        public void Wake() => _awake.Set();

        public void Wait() => _awake.Wait(CancellationToken.None);

        public void Dispose() => _awake.Dispose();
    }
}

/// <summary>An engine's admission to a device. Disposing ends it, and further disposals do nothing. Any thread may dispose it.</summary>
/// <param name="gate">The gate; null for a device without a gate.</param>
internal sealed class DeviceLease(DeviceGate? gate) : IDisposable
{
    /// <summary>The lease of a device that any number of engines may use at once.</summary>
    public static DeviceLease Free { get; } = new(null);

    private DeviceGate? _gate = gate;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Leave();
}
