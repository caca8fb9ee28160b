using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>The product of two matrices element by element, as in LoHa (Hyeon-Woo et al. 2021, FedPara, arXiv:2108.06098).</summary>
/// <param name="first">The first matrix.</param>
/// <param name="second">The second one, of the same size.</param>
internal sealed class HadamardMatrix(LoraMatrix first, LoraMatrix second) : LoraMatrix(first.Rows, first.Columns)
{
    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(first.Open(), second.Open());

    private sealed class Reader(LoraMatrixReader first, LoraMatrixReader second) : LoraMatrixReader
    {
        public override void Add(int firstRow, RowBlock block, float scale)
        {
            using RowBlock one = Rows(first, firstRow, block), other = Rows(second, firstRow, block);
            for (int i = 0; i < block.Rows; i++)
            {
                Span<float> product = one.Row(i), target = block.Row(i);
                TensorPrimitives.Multiply(product, other.Row(i), product);
                TensorPrimitives.MultiplyAdd(product, scale, target, target);
            }
        }

        public override void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }

        private static RowBlock Rows(LoraMatrixReader reader, int firstRow, RowBlock like)
        {
            var rows = new RowBlock(like.Rows, like.Columns);
            rows.Clear();
            reader.Add(firstRow, rows, 1);
            return rows;
        }
    }
}
