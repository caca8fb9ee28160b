using System.Buffers;
using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>A tensor as a matrix: its first dimension are the rows.</summary>
/// <param name="tensor">The tensor.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
internal sealed class TensorMatrix(LoraTensor tensor, int rows, int columns) : LoraMatrix(rows, columns)
{
    /// <summary>The tensor.</summary>
    public LoraTensor Tensor { get; } = tensor;

    /// <summary>All elements, row by row. Only for small tensors.</summary>
    public float[] ToArray()
    {
        float[] values = new float[checked(Rows * Columns)];
        Tensor.Read(0, values);
        return values;
    }

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
