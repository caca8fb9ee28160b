using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The Kronecker product of two matrices, as in LoKr (Edalati et al. 2022, KronA, arXiv:2212.10650). A kernel of the second one counts as
/// part of its columns, which gives the same order as the product of tensors of four dimensions.
/// </summary>
/// <param name="first">The first matrix.</param>
/// <param name="second">The second one.</param>
internal sealed class KroneckerMatrix(LoraMatrix first, LoraMatrix second)
    : LoraMatrix(checked(first.Rows * second.Rows), checked(first.Columns * second.Columns))
{
    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(first, second);

    private sealed class Reader : LoraMatrixReader
    {
        private readonly LoraMatrixReader _first;
        private readonly LoraMatrixReader _second;
        private readonly int _secondRows;
        private readonly RowBlock _row;
        private readonly RowBlock _rows;

        public Reader(LoraMatrix first, LoraMatrix second)
        {
            _first = first.Open();
            _second = second.Open();
            _secondRows = second.Rows;
            _row = new RowBlock(1, first.Columns);
            _rows = RowBlock.For(second.Rows, second.Columns);
        }

        // The rows of a block that belong to one row of the first matrix are consecutive rows of the second one.
        public override void Add(int firstRow, RowBlock block, float scale)
        {
            for (int done = 0; done < block.Rows;)
            {
                (int one, int other) = Math.DivRem(firstRow + done, _secondRows);
                _rows.Rows = Math.Min(_rows.MostRows, Math.Min(_secondRows - other, block.Rows - done));
                Read(_first, one, _row);
                Read(_second, other, _rows);
                for (int i = 0; i < _rows.Rows; i++) AddRow(_row.Row(0), _rows.Row(i), block.Row(done + i), scale);
                done += _rows.Rows;
            }
        }

        public override void Dispose()
        {
            _first.Dispose();
            _second.Dispose();
            _row.Dispose();
            _rows.Dispose();
        }

        private static void AddRow(ReadOnlySpan<float> first, ReadOnlySpan<float> second, Span<float> target, float scale)
        {
            for (int i = 0; i < first.Length; i++)
            {
                Span<float> part = target.Slice(i * second.Length, second.Length);
                TensorPrimitives.MultiplyAdd(second, scale * first[i], part, part);
            }
        }

        private static void Read(LoraMatrixReader reader, int row, RowBlock rows)
        {
            rows.Clear();
            reader.Add(row, rows, 1);
        }
    }
}
