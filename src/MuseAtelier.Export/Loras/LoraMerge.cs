using System.Numerics;
using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>Changes one weight in fp32, some rows at a time.</summary>
internal sealed class LoraMerge : IDisposable
{
    private readonly PackageWeights _package;
    private readonly WeightSpec _weight;
    private readonly IReadOnlyList<SliceChange> _changes;
    private readonly WeightRows _rows;
    private readonly List<LoraChangeReader> _readers = [];

    // What decompositions have measured, so that each one measures once, however many weights of the package its rows lie in.
    private readonly Dictionary<LoraChange, double[]> _measured;

    /// <summary>Prepares the changes of a weight.</summary>
    /// <param name="package">The weights of the package.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="changes">Its changes, in the order in which they are made; one or more.</param>
    /// <param name="stored">The weight's bytes.</param>
    public LoraMerge(PackageWeights package, WeightSpec weight, IReadOnlyList<SliceChange> changes, ReadOnlySpan<byte> stored)
        : this(package, weight, changes, new Dictionary<LoraChange, double[]>())
    {
        try
        {
            foreach (SliceChange change in changes) Open(change, stored);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private LoraMerge(
        PackageWeights package, WeightSpec weight, IReadOnlyList<SliceChange> changes, Dictionary<LoraChange, double[]> measured)
    {
        _package = package;
        _weight = weight;
        _changes = changes;
        _measured = measured;
        _rows = new WeightRows(weight, changes[0].Change.Target.IsTransposed);
    }

    /// <summary>The largest magnitude that a changed weight of a type may have.</summary>
    public static float LimitOf(ElementType type) => type == ElementType.F16 ? (float)Half.MaxValue : float.MaxValue;

    /// <summary>Changes the weight.</summary>
    /// <param name="stored">The weight's bytes.</param>
    /// <param name="type">The element type of the result.</param>
    /// <param name="merged">Receives the result's bytes. It may be the same memory as <paramref name="stored"/>.</param>
    public void Run(ReadOnlySpan<byte> stored, ElementType type, Span<byte> merged)
    {
        using RowBlock block = _rows.Block();
        foreach ((int first, int end) in Segments())
        {
            for (int row = first; row < end; row += block.MostRows)
            {
                Read(stored, row, end, block);
                Apply(row, block, _readers.Count);
                _rows.Write(block, row, type, merged);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LoraChangeReader reader in _readers) reader.Dispose();
        _rows.Dispose();
    }

    private void Open(SliceChange change, ReadOnlySpan<byte> stored)
    {
        if (change.Change.ReadsWeight && _weight.Slices.Count > 1)
        {
            LoraModule module = change.Change.Module;
            throw new LoraShapeException(
                module.Path, module.Name, $"depends on the value of '{change.Slice.Key}', which the package stores in a sum with others",
                "a change that is added");
        }

        LoraChangeReader reader = change.Change.Open();
        _readers.Add(reader);
        if (reader is not LoraDecomposition.Reader { NeedsMeasure: true } decomposition) return;
        if (_measured.TryGetValue(change.Change, out double[]? squares))
        {
            decomposition.Squares = squares;
            return;
        }

        Measure(change, decomposition, stored, _readers.Count - 1);
        // The rows of a weight may lie in several weights of the package, as those of a feed-forward part do.
        foreach (WeightSpec part in _package.Others(_weight, change.Change.Target)) MeasurePart(part, change.Change, decomposition);
        _measured[change.Change] = decomposition.Squares;
    }

    private void MeasurePart(WeightSpec part, LoraChange change, LoraDecomposition.Reader decomposition)
    {
        byte[] bytes = _package.Read(part);
        List<SliceChange> changes = _package.ChangesOf(part);
        int index = changes.FindIndex(other => ReferenceEquals(other.Change, change));
        using var merge = new LoraMerge(_package, part, changes, _measured);
        for (int i = 0; i < index; i++) merge.Open(changes[i], bytes);
        merge.Measure(changes[index], decomposition, bytes, index);
    }

    // Earlier changes are made first, because a decomposition starts from the weight as they leave it.
    private void Measure(SliceChange change, LoraDecomposition.Reader decomposition, ReadOnlySpan<byte> stored, int earlier)
    {
        using RowBlock block = _rows.Block();
        foreach ((int first, int end) in Segments())
        {
            for (int row = first; row < end; row += block.MostRows)
            {
                if (!change.Has(row)) continue;
                Read(stored, row, end, block);
                Apply(row, block, earlier);
                decomposition.Measure(change.TargetRow(row), block, change.Scale);
            }
        }
    }

    private void Read(ReadOnlySpan<byte> stored, int row, int end, RowBlock block)
    {
        block.Rows = Math.Min(block.MostRows, end - row);
        _rows.Read(stored, row, block);
    }

    private void Apply(int row, RowBlock block, int count)
    {
        bool isChanged = false;
        for (int i = 0; i < count; i++)
        {
            SliceChange change = _changes[i];
            if (!change.Has(row)) continue;
            _readers[i].Apply(change.TargetRow(row), block, change.Scale);
            isChanged = true;
        }

        if (isChanged) RequireRange(block);
    }

    // Ranges of rows that each change covers wholly or not at all.
    private IEnumerable<(int First, int End)> Segments()
    {
        SortedSet<int> borders = [0, _rows.Rows];
        foreach (SliceChange change in _changes)
        {
            borders.Add(change.FirstRow);
            borders.Add(Math.Min(change.EndRow, _rows.Rows));
        }

        return borders.Zip(borders.Skip(1));
    }

    private void RequireRange(RowBlock block)
    {
        float limit = LimitOf(_weight.Type);
        for (int i = 0; i < block.Rows; i++)
        {
            ReadOnlySpan<float> row = block.Row(i);
            if (LargestMagnitude(row) <= BitConverter.SingleToUInt32Bits(limit)) continue;
            float value = 0;
            foreach (float number in row)
            {
                value = number;
                if (!(MathF.Abs(number) <= limit)) break;
            }

            string[] paths = [.. _changes.Select(change => change.Change.Module.Path).Distinct(StringComparer.Ordinal)];
            throw new LoraOverflowException(paths, _weight.Source, _weight.Type.ToString(), value);
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
