using MuseAtelier.Residency;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Which streamed stage is copied into which slot, and when: a stage's slot never changes, copies follow each other in the order in
/// which the stages run, round after round, and a slot is filled again only after the stage in it was asked for. Knows no device.
/// </summary>
internal sealed class SlotSchedule(int count)
{
    /// <summary>How many slots there are.</summary>
    public const int Slots = StageTimeline.Slots;

    private readonly int[] _content = [.. Enumerable.Repeat(-1, Slots)];
    private readonly bool[] _free = [.. Enumerable.Repeat(true, Slots)];
    private int _head;
    private int _next;

    /// <summary>The slot of a streamed stage; stages are counted from 0 among the streamed ones.</summary>
    public static int SlotOf(int stage) => stage % Slots;

    /// <summary>Whether a stage is the one that is due; if not, a run was broken off, and <see cref="Restart"/> puts things right.</summary>
    public bool IsDue(int stage) => stage == _head && (_next != _head || !_free[SlotOf(stage)]);

    /// <summary>Forgets what lies in the slots: someone else used them.</summary>
    public void Forget() => _content.AsSpan().Fill(-1);

    /// <summary>Begins anew with a stage: all slots may be filled again.</summary>
    public void Restart(int stage)
    {
        (_head, _next) = (stage, stage);
        _free.AsSpan().Fill(true);
    }

    /// <summary>Says that the stage that is due was asked for, so that its slot may be filled again.</summary>
    public void Ran(int stage)
    {
        _free[SlotOf(stage)] = true;
        _head = (stage + 1) % count;
    }

    /// <summary>The next stage whose slot may be filled. <paramref name="isThere"/> tells that the slot holds it already.</summary>
    public bool TryNext(out int stage, out bool isThere)
    {
        stage = _next;
        int slot = SlotOf(stage);
        isThere = _content[slot] == stage;
        if (!_free[slot]) return false;
        _free[slot] = false;
        _content[slot] = stage;
        _next = (stage + 1) % count;
        return true;
    }

    /// <summary>Where things stand, to come back to.</summary>
    public Snapshot Save() => new([.. _content], [.. _free], _head, _next);

    /// <summary>Comes back to where things stood.</summary>
    public void Restore(Snapshot snapshot)
    {
        snapshot.Content.CopyTo(_content, 0);
        snapshot.Free.CopyTo(_free, 0);
        (_head, _next) = (snapshot.Head, snapshot.Next);
    }

    internal sealed record Snapshot(int[] Content, bool[] Free, int Head, int Next);
}
