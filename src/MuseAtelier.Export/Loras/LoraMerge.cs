using System.Numerics;
using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>A change of a weight, through one of its slices.</summary>
/// <param name="Change">The change.</param>
/// <param name="Slice">The slice.</param>
internal sealed record SliceChange(LoraChange Change, TensorSlice Slice)
{
    /// <summary>The first row of the weight that is changed.</summary>
    public int FirstRow => (int)Math.Max(0, Change.Target.FirstRow - Slice.FirstRow);

    /// <summary>The first row of the weight that is not changed any more.</summary>
    public int EndRow => (int)Math.Min(Slice.Rows, Change.Target.FirstRow + Change.Target.Rows - Slice.FirstRow);

    /// <summary>The target's row that belongs to a row of the weight.</summary>
    public int TargetRow(int row) => (int)(row + Slice.FirstRow - Change.Target.FirstRow);
}

/// <summary>Changes one weight, some rows at a time, in fp32.</summary>
internal static class LoraMerge
{
    /// <summary>Changes a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="changes">Its changes, in the order in which they are made.</param>
    /// <param name="stored">The weight's bytes.</param>
    /// <param name="type">The element type of the result.</param>
    /// <param name="merged">Receives the result's bytes. It may be the same memory as <paramref name="stored"/>.</param>
    /// <exception cref="LoraException">Numbers of a LoRA or of the result are out of range.</exception>
    public static void Run(
        WeightSpec weight, IReadOnlyList<SliceChange> changes, ReadOnlySpan<byte> stored, ElementType type, Span<byte> merged)
    {
        bool isTransposed = changes[0].Change.Target.IsTransposed;
        using var rows = new WeightRows(weight, isTransposed);
        using RowBlock block = rows.Block();
        var readers = new List<LoraChangeReader>(changes.Count);
        try
        {
            foreach (SliceChange change in changes) readers.Add(change.Change.Open());
            foreach ((int first, int end) in Segments(changes, rows.Rows, isTransposed || weight.Layout == WeightLayout.Transposed))
            {
                for (int row = first; row < end; row += block.MostRows)
                {
                    block.Rows = Math.Min(block.MostRows, end - row);
                    rows.Read(stored, row, block);
                    Apply(weight, changes, readers, row, block);
                    rows.Write(block, row, type, merged);
                }
            }
        }
        finally
        {
            foreach (LoraChangeReader reader in readers) reader.Dispose();
        }
    }

    private static void Apply(
        WeightSpec weight, IReadOnlyList<SliceChange> changes, List<LoraChangeReader> readers, int row, RowBlock block)
    {
        bool isChanged = false;
        for (int i = 0; i < changes.Count; i++)
        {
            SliceChange change = changes[i];
            bool isWhole = change.Change.Target.IsTransposed || weight.Layout == WeightLayout.Transposed;
            if (!isWhole && (row < change.FirstRow || row >= change.EndRow)) continue;
            readers[i].Apply(isWhole ? 0 : change.TargetRow(row), block, change.Slice.Scale ?? 1);
            isChanged = true;
        }

        if (isChanged) RequireRange(weight, changes, block);
    }

    // Ranges of rows that each change covers wholly or not at all.
    private static IEnumerable<(int First, int End)> Segments(IReadOnlyList<SliceChange> changes, int rows, bool isWhole)
    {
        if (isWhole) return [(0, rows)];
        SortedSet<int> borders = [0, rows];
        foreach (SliceChange change in changes)
        {
            borders.Add(change.FirstRow);
            borders.Add(change.EndRow);
        }

        return borders.Zip(borders.Skip(1));
    }

    private static void RequireRange(WeightSpec weight, IReadOnlyList<SliceChange> changes, RowBlock block)
    {
        float limit = weight.Type == ElementType.F16 ? (float)Half.MaxValue : float.MaxValue;
        for (int i = 0; i < block.Rows; i++)
        {
            Span<float> row = block.Row(i);
            if (LargestMagnitude(row) <= BitConverter.SingleToUInt32Bits(limit)) continue;
            float value = 0;
            foreach (float number in row)
            {
                value = number;
                if (!(MathF.Abs(number) <= limit)) break;
            }

            string[] paths = [.. changes.Select(change => change.Change.Module.Path).Distinct(StringComparer.Ordinal)];
            throw new LoraOverflowException(paths, weight.Source, weight.Type.ToString(), value);
        }
    }

    // The bits of magnitudes have the order of the numbers, and those of infinity and NaN are the largest.
    private static uint LargestMagnitude(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = new Vector<uint>(0x7FFFFFFF);
        Vector<uint> largest = Vector<uint>.Zero;
        int i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            largest = Vector.Max(largest, new Vector<uint>(bits[i..]) & mask);
        uint most = 0;
        for (int lane = 0; lane < Vector<uint>.Count; lane++) most = Math.Max(most, largest[lane]);
        for (; i < bits.Length; i++) most = Math.Max(most, bits[i] & 0x7FFFFFFF);
        return most;
    }
}
