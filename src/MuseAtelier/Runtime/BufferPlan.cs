namespace MuseAtelier.Runtime;

/// <summary>Places buffers that live for a while in one block of memory, so that those which never live together share bytes.</summary>
internal sealed class BufferPlan
{
    private const long Alignment = 256;

    private readonly List<Placed> _placed = [];

    /// <summary>Bytes of the whole block.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Places all buffers, the largest first, each as low as the ones it lives with allow. Gives each one's offset, in the given order.
    /// </summary>
    /// <param name="buffers">Size in bytes, and the first and last moment of need.</param>
    public static (long Bytes, long[] Offsets) Place(IReadOnlyList<(long Bytes, int First, int Last)> buffers)
    {
        var plan = new BufferPlan();
        long[] offsets = new long[buffers.Count];
        foreach (int i in Enumerable.Range(0, buffers.Count).OrderByDescending(i => buffers[i].Bytes))
            offsets[i] = plan.Place(buffers[i].Bytes, buffers[i].First, buffers[i].Last);
        return (plan.Bytes, offsets);
    }

    private long Place(long bytes, int first, int last)
    {
        bytes = (bytes + Alignment - 1) / Alignment * Alignment;
        long offset = 0;
        foreach (Placed other in _placed)
        {
            // Sorted by offset: the first gap that is wide enough is the lowest.
            if (other.Last < first || other.First > last) continue;
            if (other.Offset >= offset + bytes) break;
            offset = Math.Max(offset, other.Offset + other.Bytes);
        }

        int index = _placed.FindIndex(other => other.Offset > offset);
        _placed.Insert(index < 0 ? _placed.Count : index, new Placed(offset, bytes, first, last));
        Bytes = Math.Max(Bytes, offset + bytes);
        return offset;
    }

    private readonly record struct Placed(long Offset, long Bytes, int First, int Last);
}
