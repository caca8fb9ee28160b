using System.Buffers;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Some rows of a matrix in fp32, padded to whole tiles of <see cref="MatrixProduct"/>. The padding holds numbers without meaning. Its
/// memory is rented; the creator disposes it.
/// </summary>
internal sealed class RowBlock : IDisposable
{
    /// <summary>Elements of a block, where one group of rows has no more: 256 KiB, which a core's own cache holds.</summary>
    private const int UsualElements = 1 << 16;

    private float[]? _values;

    /// <summary>Rents a block.</summary>
    /// <param name="rows">The most rows that it holds.</param>
    /// <param name="columns">Number of columns.</param>
    public RowBlock(int rows, int columns)
    {
        Columns = columns;
        Stride = RoundUp(columns, MatrixProduct.Panel);
        MostRows = rows;
        Rows = rows;
        _values = ArrayPool<float>.Shared.Rent(checked(RoundUp(rows, MatrixProduct.RowGroup) * Stride));
    }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>Distance from a row to the next one.</summary>
    public int Stride { get; }

    /// <summary>The most rows that it holds.</summary>
    public int MostRows { get; }

    /// <summary>Number of rows that are in use.</summary>
    public int Rows { get; set; }

    /// <summary>The elements, row by row.</summary>
    public float[] Values => _values ?? throw new ObjectDisposedException(nameof(RowBlock));

    /// <summary>Rents a block of the usual size for a matrix.</summary>
    public static RowBlock For(int rows, int columns)
    {
        int most = UsualElements / RoundUp(columns, MatrixProduct.Panel) / MatrixProduct.RowGroup * MatrixProduct.RowGroup;
        return new RowBlock(Math.Min(Math.Max(most, MatrixProduct.RowGroup), rows), columns);
    }

    /// <summary>Rounds a size up to a multiple.</summary>
    public static int RoundUp(int size, int multiple) => checked(size + multiple - 1) / multiple * multiple;

    /// <summary>A row without its padding.</summary>
    public Span<float> Row(int index) => Values.AsSpan(index * Stride, Columns);

    /// <summary>Sets all elements to 0, those of the padding too.</summary>
    public void Clear() => Values.AsSpan(0, RoundUp(Rows, MatrixProduct.RowGroup) * Stride).Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_values is null) return;
        ArrayPool<float>.Shared.Return(_values);
        _values = null;
    }
}
