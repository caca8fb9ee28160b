using System.Threading.Channels;

namespace MuseAtelier.Server.Jobs;

/// <summary>The jobs in their order: the running one, those that wait, and those that ended lately. Safe for concurrent use.</summary>
/// <param name="capacity">The most jobs that wait.</param>
internal sealed class JobQueue(int capacity)
{
    // More would be of no use to a page, and their prompts take memory.
    private const int MostEnded = 64;

    private readonly Lock _gate = new();
    private readonly List<JobEntry> _waiting = [];
    private readonly LinkedList<JobEntry> _ended = new();
    private readonly Channel<bool> _arrived = Channel.CreateUnbounded<bool>();
    private JobEntry? _running;

    /// <summary>The running job; null if none runs.</summary>
    public JobEntry? Running
    {
        get
        {
            lock (_gate) return _running;
        }
    }

    /// <summary>The running job, those that wait in their order, and those that ended, newest first.</summary>
    public (JobEntry? Running, JobEntry[] Waiting, JobEntry[] Ended) All()
    {
        lock (_gate) return (_running, [.. _waiting], [.. _ended]);
    }

    /// <summary>A job by its id; null if there is none.</summary>
    public JobEntry? Find(string id)
    {
        lock (_gate)
        {
            if (_running?.Id == id) return _running;
            return _waiting.Find(entry => entry.Id == id) ?? _ended.FirstOrDefault(entry => entry.Id == id);
        }
    }

    /// <summary>Adds a job behind all others.</summary>
    /// <param name="make">Makes the job while nothing else is added, so that ids have the order of the queue.</param>
    /// <returns>The job; null if as many wait as may.</returns>
    public JobEntry? TryAdd(Func<JobEntry> make)
    {
        JobEntry entry;
        lock (_gate)
        {
            if (_waiting.Count >= capacity) return null;
            entry = make();
            _waiting.Add(entry);
        }

        _arrived.Writer.TryWrite(true);
        return entry;
    }

    /// <summary>Adds a job of the journal, which was accepted before the server was started again.</summary>
    public void Restore(JobEntry entry)
    {
        lock (_gate) _waiting.Add(entry);
        _arrived.Writer.TryWrite(true);
    }

    /// <summary>Waits for a job, and makes it the running one.</summary>
    public async Task<JobEntry> BeginNextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _arrived.Reader.ReadAsync(cancellationToken);
            lock (_gate)
            {
                // The job that this arrival stands for may have been removed.
                if (_waiting.Count == 0) continue;
                _running = _waiting[0];
                _waiting.RemoveAt(0);
                return _running;
            }
        }
    }

    /// <summary>Removes a job that waits, and counts it among those that ended.</summary>
    /// <returns>Whether it waited.</returns>
    public bool TryRemove(JobEntry entry)
    {
        lock (_gate)
        {
            if (!_waiting.Remove(entry)) return false;
            KeepEnded(entry);
            return true;
        }
    }

    /// <summary>Removes a job that waits as if it had never been there.</summary>
    public void Forget(JobEntry entry)
    {
        lock (_gate) _waiting.Remove(entry);
    }

    /// <summary>Removes all jobs of a kind that wait, and counts them among those that ended.</summary>
    public IReadOnlyList<JobEntry> RemoveAll(Predicate<JobEntry> which)
    {
        lock (_gate)
        {
            List<JobEntry> removed = _waiting.FindAll(which);
            _waiting.RemoveAll(which);
            foreach (JobEntry entry in removed) KeepEnded(entry);
            return removed;
        }
    }

    /// <summary>Ends the running job.</summary>
    public void EndRunning(JobEntry entry)
    {
        lock (_gate)
        {
            _running = null;
            KeepEnded(entry);
        }
    }

    /// <summary>Takes a job into those that ended that never ran, such as one whose pictures all exist.</summary>
    public void AddEnded(JobEntry entry)
    {
        lock (_gate) KeepEnded(entry);
    }

    /// <summary>Moves a job that waits.</summary>
    /// <param name="id">The job.</param>
    /// <param name="place">Its new place; beyond the end means the end.</param>
    /// <param name="moved">Called while nothing else is moved, with the job of the journal that now follows it; null if none does.</param>
    /// <returns>The job; null if no such job waits.</returns>
    public JobEntry? Move(string id, int place, Action<JobEntry, JobEntry?> moved)
    {
        lock (_gate)
        {
            JobEntry? entry = _waiting.Find(waiting => waiting.Id == id);
            if (entry is null) return null;
            _waiting.Remove(entry);
            _waiting.Insert(Math.Clamp(place, 0, _waiting.Count), entry);
            moved(entry, _waiting.SkipWhile(waiting => waiting != entry).Skip(1).FirstOrDefault(waiting => waiting.IsJournaled));
            return entry;
        }
    }

    private void KeepEnded(JobEntry entry)
    {
        _ended.AddFirst(entry);
        if (_ended.Count > MostEnded) _ended.RemoveLast();
    }
}
