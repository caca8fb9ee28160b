using System.Buffers;
using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// A matrix that follows from tensors of a LoRA, and is never computed as a whole: readers give its rows block by block. A convolution
/// [out, in, kernel, kernel] counts as a matrix of out rows.
/// </summary>
internal abstract class LoraMatrix(int rows, int columns)
{
    /// <summary>Number of rows.</summary>
    public int Rows { get; } = rows;

    /// <summary>Number of columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>Prepares reading on one thread.</summary>
    public abstract LoraMatrixReader Open();

    /// <summary>The whole matrix as an array, row by row. Only for small ones.</summary>
    public float[] ToArray()
    {
        float[] values = new float[checked(Rows * Columns)];
        using LoraMatrixReader reader = Open();
        using RowBlock block = RowBlock.For(Rows, Columns);
        for (int first = 0; first < Rows; first += block.MostRows)
        {
            block.Rows = Math.Min(block.MostRows, Rows - first);
            block.Clear();
            reader.Add(first, block, 1);
            for (int i = 0; i < block.Rows; i++) block.Row(i).CopyTo(values.AsSpan((first + i) * Columns));
        }

        return values;
    }
}

/// <summary>Reads the rows of a <see cref="LoraMatrix"/> on one thread. The creator disposes it.</summary>
internal abstract class LoraMatrixReader : IDisposable
{
    /// <summary>Adds scale * rows to a block.</summary>
    /// <param name="firstRow">The matrix's row that belongs to the block's first one.</param>
    /// <param name="block">The block. All its rows are rows of the matrix.</param>
    /// <param name="scale">The factor.</param>
    public abstract void Add(int firstRow, RowBlock block, float scale);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A tensor as a matrix: its first dimension are the rows.</summary>
/// <param name="tensor">The tensor.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
internal sealed class TensorMatrix(LoraTensor tensor, int rows, int columns) : LoraMatrix(rows, columns)
{
    /// <summary>The tensor.</summary>
    public LoraTensor Tensor { get; } = tensor;

    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(Tensor, Columns);

    private sealed class Reader(LoraTensor tensor, int columns) : LoraMatrixReader
    {
        private readonly float[] _row = ArrayPool<float>.Shared.Rent(columns);

        public override void Add(int firstRow, RowBlock block, float scale)
        {
            Span<float> row = _row.AsSpan(0, columns);
            for (int i = 0; i < block.Rows; i++)
            {
                tensor.Read((long)(firstRow + i) * columns, row);
                Span<float> target = block.Row(i);
                TensorPrimitives.MultiplyAdd(row, scale, target, target);
            }
        }

        public override void Dispose() => ArrayPool<float>.Shared.Return(_row);
    }
}

/// <summary>The product of a tall and a wide matrix, as in LoRA itself (Hu et al. 2021, arXiv:2106.09685).</summary>
/// <param name="left">The left factor, [rows, rank].</param>
/// <param name="right">The right factor, [rank, columns].</param>
internal sealed class ProductMatrix(TensorMatrix left, LoraMatrix right) : LoraMatrix(left.Rows, right.Columns)
{
    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(left, right);

    private sealed class Reader : LoraMatrixReader
    {
        private readonly TensorMatrix _left;
        private readonly int _rank;
        private readonly float[] _right;
        private float[] _rows = [];
        private float[] _packed = [];

        public Reader(TensorMatrix left, LoraMatrix right)
        {
            _left = left;
            _rank = right.Rows;
            _right = ArrayPool<float>.Shared.Rent(MatrixProduct.PackedColumns(right.Columns, right.Rows));
            using LoraMatrixReader reader = right.Open();
            using RowBlock block = RowBlock.For(right.Rows, right.Columns);
            for (int first = 0; first < right.Rows; first += block.MostRows)
            {
                block.Rows = Math.Min(block.MostRows, right.Rows - first);
                block.Clear();
                reader.Add(first, block, 1);
                for (int i = 0; i < block.Rows; i++) MatrixProduct.PackRowOfColumns(block.Row(i), first + i, right.Rows, _right);
            }
        }

        public override void Add(int firstRow, RowBlock block, float scale)
        {
            Grow(ref _rows, checked(block.Rows * _rank));
            Grow(ref _packed, MatrixProduct.PackedRows(block.Rows, _rank));
            Span<float> rows = _rows.AsSpan(0, block.Rows * _rank);
            Span<float> packed = _packed.AsSpan(0, MatrixProduct.PackedRows(block.Rows, _rank));
            _left.Tensor.Read((long)firstRow * _rank, rows);
            MatrixProduct.PackRows(rows, _rank, packed);
            MatrixProduct.Add(block, packed, _right, _rank, scale);
        }

        public override void Dispose()
        {
            ArrayPool<float>.Shared.Return(_right);
            if (_rows.Length > 0) ArrayPool<float>.Shared.Return(_rows);
            if (_packed.Length > 0) ArrayPool<float>.Shared.Return(_packed);
        }

        private static void Grow(ref float[] array, int length)
        {
            if (array.Length >= length) return;
            if (array.Length > 0) ArrayPool<float>.Shared.Return(array);
            array = ArrayPool<float>.Shared.Rent(length);
        }
    }
}
