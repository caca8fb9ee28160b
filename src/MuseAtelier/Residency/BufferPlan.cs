namespace MuseAtelier.Residency;

/// <summary>Places buffers with limited lifetimes in one block of memory. Buffers whose lifetimes do not overlap may share bytes.</summary>
internal sealed class BufferPlan
{
    private const long Alignment = 256;

    private readonly List<Placed> _placed = [];

    /// <summary>Bytes of the whole block.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Places all buffers, the largest first, each at the lowest offset at which it overlaps no buffer that lives at the same time.
    /// </summary>
    /// <param name="buffers">The size of each buffer in bytes, and the first and last stage that needs it.</param>
    /// <returns>The size of the block in bytes, and the offset of each buffer in the given order.</returns>
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
            // The list is sorted by offset, so the first gap that is wide enough is the lowest.
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
