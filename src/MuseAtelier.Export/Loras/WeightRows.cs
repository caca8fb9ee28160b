using System.Buffers;
using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Reads and writes rows of a weight in the order of its layer's matrix: [out, in], or [out, in, kernel, kernel], whatever the weight's
/// layout in the package is.
/// </summary>
internal sealed class WeightRows : IDisposable
{
    private readonly WeightSpec _weight;
    private readonly bool _isTurned;
    private readonly float[] _row;

    /// <summary>Prepares a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="isTransposedTarget">Whether the checkpoint stores the transpose of the layer's matrix.</param>
    public WeightRows(WeightSpec weight, bool isTransposedTarget)
    {
        _weight = weight;
        // Of a transpose in the checkpoint, a transposed weight is the layer's own matrix again.
        _isTurned = (weight.Layout == WeightLayout.Transposed) != isTransposedTarget;
        int first = checked((int)(weight.Shape.Count == 0 ? 1 : weight.Shape[0]));
        int rest = checked((int)(weight.Elements / first));
        (Rows, Columns) = _isTurned ? (rest, first) : (first, rest);
        Plane = weight.Layout == WeightLayout.ChannelsLast ? Columns / (int)weight.Shape[3] : 1;
        _row = ArrayPool<float>.Shared.Rent(Math.Max(Rows, Columns));
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>
    /// Elements of a kernel that the weight stores before its input channels; 1 where it stores a row as the layer has it.
    /// </summary>
    public int Plane { get; }

    /// <summary>Rents a block for this weight. A transposed weight is read and written as a whole.</summary>
    public RowBlock Block() => _isTurned ? new RowBlock(Rows, Columns) : RowBlock.For(Rows, Columns);

    /// <summary>Decodes rows.</summary>
    /// <param name="stored">All bytes of the weight.</param>
    /// <param name="first">The first row.</param>
    /// <param name="block">Receives the rows.</param>
    public void Read(ReadOnlySpan<byte> stored, int first, RowBlock block)
    {
        if (_isTurned) ReadTurned(stored, block);
        else if (Plane > 1) ReadPlanes(stored, first, block);
        else if (block.Stride == Columns) Decode(stored, first, block.Values.AsSpan(0, block.Rows * Columns));
        else
        {
            for (int i = 0; i < block.Rows; i++) Decode(stored, first + i, block.Row(i));
        }
    }

    /// <summary>Encodes rows.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="first">The first row.</param>
    /// <param name="type">The element type to write.</param>
    /// <param name="target">All bytes of the weight in that type.</param>
    public void Write(RowBlock block, int first, ElementType type, Span<byte> target)
    {
        if (_isTurned) WriteTurned(block, type, target);
        else if (Plane > 1) WritePlanes(block, first, type, target);
        else if (block.Stride == Columns) Encode(block.Values.AsSpan(0, block.Rows * Columns), first, type, target);
        else
        {
            for (int i = 0; i < block.Rows; i++) Encode(block.Row(i), first + i, type, target);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<float>.Shared.Return(_row);

    private void ReadTurned(ReadOnlySpan<byte> stored, RowBlock block)
    {
        Span<float> row = _row.AsSpan(0, Rows);
        for (int column = 0; column < Columns; column++)
        {
            int bytes = Rows * _weight.Type.Size();
            Decode(_weight.Type, stored.Slice(column * bytes, bytes), row);
            for (int i = 0; i < Rows; i++) block.Values[i * block.Stride + column] = row[i];
        }
    }

    private void WriteTurned(RowBlock block, ElementType type, Span<byte> target)
    {
        Span<float> row = _row.AsSpan(0, Rows);
        for (int column = 0; column < Columns; column++)
        {
            int bytes = Rows * type.Size();
            for (int i = 0; i < Rows; i++) row[i] = block.Values[i * block.Stride + column];
            Encode(row, type, target.Slice(column * bytes, bytes));
        }
    }

    // [plane, in] to [in, plane].
    private void ReadPlanes(ReadOnlySpan<byte> stored, int first, RowBlock block)
    {
        int inputs = Columns / Plane;
        Span<float> row = _row.AsSpan(0, Columns);
        for (int i = 0; i < block.Rows; i++)
        {
            Decode(stored, first + i, row);
            Span<float> target = block.Row(i);
            for (int p = 0; p < Plane; p++)
            {
                ReadOnlySpan<float> source = row.Slice(p * inputs, inputs);
                for (int j = 0; j < source.Length; j++) target[j * Plane + p] = source[j];
            }
        }
    }

    private void WritePlanes(RowBlock block, int first, ElementType type, Span<byte> target)
    {
        int inputs = Columns / Plane;
        Span<float> row = _row.AsSpan(0, Columns);
        for (int i = 0; i < block.Rows; i++)
        {
            ReadOnlySpan<float> source = block.Row(i);
            for (int p = 0; p < Plane; p++)
            {
                Span<float> part = row.Slice(p * inputs, inputs);
                for (int j = 0; j < part.Length; j++) part[j] = source[j * Plane + p];
            }

            Encode(row, first + i, type, target);
        }
    }

    private void Decode(ReadOnlySpan<byte> stored, int row, Span<float> values)
    {
        int size = _weight.Type.Size();
        Decode(_weight.Type, stored.Slice(checked(row * Columns * size), checked(values.Length * size)), values);
    }

    private void Encode(ReadOnlySpan<float> values, int row, ElementType type, Span<byte> target) =>
        Encode(values, type, target.Slice(checked(row * Columns * type.Size()), checked(values.Length * type.Size())));

    private static void Decode(ElementType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        if (type == ElementType.F16) HalfConversion.Widen(MemoryMarshal.Cast<byte, Half>(source), target);
        else FloatDecoding.Decode(type, source, target);
    }

    private static void Encode(ReadOnlySpan<float> values, ElementType type, Span<byte> target)
    {
        if (type == ElementType.F16) HalfConversion.Narrow(values, MemoryMarshal.Cast<byte, Half>(target));
        else FloatEncoding.Encode(values, type, target);
    }
}
