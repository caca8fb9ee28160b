using System.Buffers;

namespace MuseAtelier.Export.Loras;

/// <summary>The left factor of a product: a tensor [rows, rank], or its transpose.</summary>
/// <param name="matrix">The tensor as a matrix.</param>
/// <param name="isTurned">Whether the tensor is [rank, rows].</param>
internal sealed class LeftFactor(TensorMatrix matrix, bool isTurned)
{
    /// <summary>Number of rows.</summary>
    public int Rows => isTurned ? matrix.Columns : matrix.Rows;

    /// <summary>Number of columns.</summary>
    public int Rank => isTurned ? matrix.Rows : matrix.Columns;

    /// <summary>Reads consecutive rows.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="rows">Receives [count, rank].</param>
    public void Read(int first, int count, Span<float> rows)
    {
        if (!isTurned)
        {
            matrix.Tensor.Read((long)first * Rank, rows);
            return;
        }

        float[] column = ArrayPool<float>.Shared.Rent(count);
        for (int k = 0; k < Rank; k++)
        {
            matrix.Tensor.Read((long)k * Rows + first, column.AsSpan(0, count));
            for (int i = 0; i < count; i++) rows[i * Rank + k] = column[i];
        }

        ArrayPool<float>.Shared.Return(column);
    }
}

/// <summary>The product of a tall and a wide matrix, as in LoRA itself (Hu et al. 2021, arXiv:2106.09685).</summary>
/// <param name="left">The left factor, [rows, rank].</param>
/// <param name="right">The right factor, [rank, columns].</param>
internal sealed class ProductMatrix(LeftFactor left, LoraMatrix right) : LoraMatrix(left.Rows, right.Columns)
{
    /// <summary>The left factor, [rows, rank].</summary>
    public LeftFactor Left => left;

    /// <summary>The right factor, [rank, columns].</summary>
    public LoraMatrix Right => right;

    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(left, right);

    private sealed class Reader : LoraMatrixReader
    {
        private readonly LeftFactor _left;
        private readonly int _rank;
        private readonly float[] _right;
        private float[] _rows = [];
        private float[] _packed = [];

        public Reader(LeftFactor left, LoraMatrix right)
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
            _left.Read(firstRow, block.Rows, rows);
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
