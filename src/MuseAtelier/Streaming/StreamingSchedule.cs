namespace MuseAtelier.Streaming;

/// <summary>
/// Decides which streamed stage is copied into the streaming buffer next, and what its copy waits for. Copies follow each other in the
/// order in which the stages run, round after round. A range of the buffer is filled again only after every stage that used it has been
/// queued. The schedule makes no device calls.
/// </summary>
internal sealed class StreamingSchedule(StreamingBufferLayout layout)
{
    private readonly bool[] _there = new bool[layout.Count];
    private int _begin;
    private int _runs;
    private int _copies;

    /// <summary>
    /// Whether a stage is the next to run and its copy has been scheduled. If not, a run ended early, and <see cref="Restart"/> must be
    /// called.
    /// </summary>
    public bool IsDue(int stage) => stage == _runs % layout.Count && _copies > _runs;

    /// <summary>
    /// Marks the buffer's content as lost, because another component used the buffer or copies failed. No stage is due until
    /// <see cref="Restart"/>.
    /// </summary>
    public void Invalidate()
    {
        _there.AsSpan().Clear();
        _copies = _runs;
    }

    /// <summary>Starts again with a stage. Copies may overwrite the weights of all stages queued before, once those have run.</summary>
    public void Restart(int stage) => (_begin, _runs, _copies) = (stage, stage, stage);

    /// <summary>
    /// Begins a round that is recorded and later replayed. The round relies only on the copies of the first stages, because nothing else is
    /// known to lie in the buffer when it is replayed. While recording, a copy may depend only on stages of the recorded round, directly or
    /// through an earlier copy; the CUDA graph must not reference work outside itself.
    /// </summary>
    public void BeginRecording()
    {
        Invalidate();
        Restart(0);
    }

    /// <summary>Records that the stage that is due has been queued.</summary>
    public void Ran()
    {
        _runs++;
        // One round is subtracted now and then, so that the counters never overflow.
        if (Math.Min(_runs, _copies) < 4 * layout.Count) return;
        _begin = Math.Max(0, _begin - layout.Count);
        _runs -= layout.Count;
        _copies -= layout.Count;
    }

    /// <summary>
    /// Gives the next stage whose copy may be queued; false where the stage that the copy must wait for is not queued yet.
    /// </summary>
    /// <param name="stage">The stage, counted from 0 among the streamed ones.</param>
    /// <param name="isThere">Whether the stage's weights lie in the buffer already.</param>
    /// <param name="after">The stage whose run the copy must wait for; -1 means all work queued before <see cref="Restart"/>.</param>
    public bool TryNext(out int stage, out bool isThere, out int after)
    {
        stage = _copies % layout.Count;
        int blocker = _copies - layout.Distances[stage];
        isThere = _there[stage];
        after = blocker < _begin ? -1 : (blocker + layout.Count) % layout.Count;
        // Even a stage that is already in the buffer is scheduled at most one round ahead.
        if (blocker >= _runs) return false;
        foreach (int overwritten in layout.Overwritten(stage)) _there[overwritten] = false;
        _there[stage] = true;
        _copies++;
        return true;
    }

    /// <summary>Copies the present state, for <see cref="Restore"/>.</summary>
    public Snapshot Save() => new([.. _there], _begin, _runs, _copies);

    /// <summary>Returns to a saved state.</summary>
    public void Restore(Snapshot snapshot)
    {
        snapshot.There.CopyTo(_there, 0);
        (_begin, _runs, _copies) = (snapshot.Begin, snapshot.Runs, snapshot.Copies);
    }

    internal sealed record Snapshot(bool[] There, int Begin, int Runs, int Copies);
}
