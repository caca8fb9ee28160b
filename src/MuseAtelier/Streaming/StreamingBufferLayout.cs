namespace MuseAtelier.Streaming;

/// <summary>
/// The places of streamed stages in the streaming buffer, a ring of device memory: one after the other, and from the beginning again where
/// the next stage does not fit. A stage's place is the same in every round, so that its bindings stay valid. Its weights may be overwritten
/// once the stage has run.
/// </summary>
internal sealed class StreamingBufferLayout
{
    private const long Alignment = 4096;

    private int[][]? _overlapping;

    /// <param name="sizes">Bytes of each streamed stage, in the order in which they run.</param>
    /// <param name="bytes">Bytes of the buffer: at least those of the largest stage.</param>
    public StreamingBufferLayout(IReadOnlyList<long> sizes, long bytes)
    {
        (Sizes, Bytes) = (sizes, bytes);
        long[] offsets = new long[sizes.Count];
        long end = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            if (sizes[i] > bytes)
                throw new ArgumentOutOfRangeException(nameof(bytes), bytes, "The streaming buffer is smaller than a stage.");
            if (end + sizes[i] > bytes) end = 0;
            offsets[i] = end;
            end = Math.Min(bytes, (end + sizes[i] + Alignment - 1) / Alignment * Alignment);
        }

        Offsets = offsets;
        Distances = [.. Enumerable.Range(0, Count).Select(DistanceToBlocker)];
    }

    /// <summary>Number of streamed stages.</summary>
    public int Count => Sizes.Count;

    /// <summary>Bytes of each stage.</summary>
    public IReadOnlyList<long> Sizes { get; }

    /// <summary>Offset of each stage in the buffer, in bytes.</summary>
    public IReadOnlyList<long> Offsets { get; }

    /// <summary>Bytes of the buffer.</summary>
    public long Bytes { get; }

    /// <summary>
    /// For each stage, the distance back (in execution order, cyclic) to the most recent stage whose place it overwrites, and which must
    /// therefore have run before its copy may begin. <see cref="Count"/> if it overwrites none: its weights then stay from round to round.
    /// </summary>
    public IReadOnlyList<int> Distances { get; }

    /// <summary>The least buffer in which any stage can run while the next one is copied, in bytes; 0 for no stages.</summary>
    public static long LeastBytes(IReadOnlyList<long> sizes)
    {
        long least = 0;
        for (int i = 0; i < sizes.Count; i++)
        {
            long aligned = (sizes[i] + Alignment - 1) / Alignment * Alignment;
            least = Math.Max(least, sizes.Count == 1 ? aligned : aligned + sizes[(i + 1) % sizes.Count]);
        }

        return (least + Alignment - 1) / Alignment * Alignment;
    }

    /// <summary>Whether each of several stages, in the order in which they run, fits into its place.</summary>
    public bool HasRoomFor(IReadOnlyList<long> sizes) =>
        sizes.Count == Count && Enumerable.Range(0, Count).All(stage => sizes[stage] <= Sizes[stage]);

    /// <summary>The stages that a stage's copy overwrites.</summary>
    public ReadOnlySpan<int> Overwritten(int stage)
    {
        _overlapping ??= [.. Enumerable.Range(0, Count).Select(Overlapping)];
        return _overlapping[stage];
    }

    private int[] Overlapping(int stage) => [.. Enumerable.Range(0, Count).Where(other => other != stage && Overlap(stage, other))];

    private int DistanceToBlocker(int stage)
    {
        for (int distance = 1; distance < Count; distance++)
            if (Overlap(stage, (stage - distance + Count) % Count)) return distance;
        return Count;
    }

    private bool Overlap(int first, int second) =>
        Offsets[first] < Offsets[second] + Sizes[second] && Offsets[second] < Offsets[first] + Sizes[first];
}
