using MuseAtelier.Residency;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Which streamed stage is copied into the window, and when: copies follow each other in the order in which the stages run, round after round,
/// and a place is filled again only after every stage that lay there was asked for. Knows no device.
/// </summary>
internal sealed class StreamingSchedule(StreamingBufferLayout window)
{
    private readonly bool[] _there = new bool[window.Count];
    private int _begin;
    private int _runs;
    private int _copies;

    /// <summary>Whether a stage is the one that is due, and on its way; if not, a run was broken off, and <see cref="Restart"/> puts things right.</summary>
    public bool IsDue(int stage) => stage == _runs % window.Count && _copies > _runs;

    /// <summary>Forgets what lies in the window: someone else used it, or copies did not come. No stage is due until <see cref="Restart"/>.</summary>
    public void Forget()
    {
        _there.AsSpan().Clear();
        _copies = _runs;
    }

    /// <summary>Begins anew with a stage: everything may be overwritten that was asked for so far.</summary>
    public void Restart(int stage) => (_begin, _runs, _copies) = (stage, stage, stage);

    /// <summary>
    /// Begins a round that is recorded, and repeated as it is: it counts on nothing but what the first stages' copies bring, for nothing else may lie
    /// in the window when it is repeated. No copy of that round waits for a stage before it but behind one that waits for a stage of its own.
    /// </summary>
    public void BeginRecording()
    {
        Forget();
        Restart(0);
    }

    /// <summary>Says that the stage that is due was asked for.</summary>
    public void Ran()
    {
        _runs++;
        // Counted from the first round again, before the numbers run out.
        if (Math.Min(_runs, _copies) < 4 * window.Count) return;
        (_begin, _runs, _copies) = (Math.Max(0, _begin - window.Count), _runs - window.Count, _copies - window.Count);
    }

    /// <summary>The next stage that may be copied.</summary>
    /// <param name="stage">The stage, counted from 0 among the streamed ones.</param>
    /// <param name="isThere">Whether it lies there already.</param>
    /// <param name="after">The stage whose run the copy must wait for; -1 where everything that was asked for before <see cref="Restart"/> is meant.</param>
    public bool TryNext(out int stage, out bool isThere, out int after)
    {
        stage = _copies % window.Count;
        int blocker = _copies - window.Distances[stage];
        (isThere, after) = (_there[stage], blocker < _begin ? -1 : (blocker + window.Count) % window.Count);
        // What is there is asked for ahead no further than a round.
        if (blocker >= _runs) return false;
        foreach (int overwritten in window.Overwritten(stage)) _there[overwritten] = false;
        _there[stage] = true;
        _copies++;
        return true;
    }

    /// <summary>Where things stand, to come back to.</summary>
    public Snapshot Save() => new([.. _there], _begin, _runs, _copies);

    /// <summary>Comes back to where things stood.</summary>
    public void Restore(Snapshot snapshot)
    {
        snapshot.There.CopyTo(_there, 0);
        (_begin, _runs, _copies) = (snapshot.Begin, snapshot.Runs, snapshot.Copies);
    }

    internal sealed record Snapshot(bool[] There, int Begin, int Runs, int Copies);
}
