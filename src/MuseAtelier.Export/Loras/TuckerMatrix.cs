using System.Buffers;
using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The right factor of a convolution whose kernel is factorised too (CP or Tucker decomposition): row i holds, for each channel c and each
/// place p of the kernel, the sum over j of core[i, j, p] * factor[j, c]. (LyCORIS lycoris/functional/general.py, tucker_weight.)
/// </summary>
/// <param name="core">The core, [rank, rank, plane].</param>
/// <param name="factor">The factor of the channels, [rank, channels].</param>
internal sealed class TuckerMatrix(TensorMatrix core, TensorMatrix factor)
    : LoraMatrix(core.Rows, checked(core.Columns / factor.Rows * factor.Columns))
{
    /// <inheritdoc/>
    public override LoraMatrixReader Open() => new Reader(core, factor);

    private sealed class Reader(TensorMatrix core, TensorMatrix factor) : LoraMatrixReader
    {
        private readonly float[] _factor = factor.ToArray();
        private readonly float[] _core = ArrayPool<float>.Shared.Rent(core.Columns);
        private readonly float[] _channels = ArrayPool<float>.Shared.Rent(factor.Columns);

        public override void Add(int firstRow, RowBlock block, float scale)
        {
            int rank = factor.Rows, plane = core.Columns / rank;
            Span<float> channels = _channels.AsSpan(0, factor.Columns);
            for (int i = 0; i < block.Rows; i++)
            {
                core.Tensor.Read((long)(firstRow + i) * core.Columns, _core.AsSpan(0, core.Columns));
                Span<float> row = block.Row(i);
                for (int p = 0; p < plane; p++)
                {
                    channels.Clear();
                    for (int j = 0; j < rank; j++)
                    {
                        ReadOnlySpan<float> term = _factor.AsSpan(j * factor.Columns, factor.Columns);
                        TensorPrimitives.MultiplyAdd(term, _core[j * plane + p], channels, channels);
                    }

                    for (int c = 0; c < channels.Length; c++) row[c * plane + p] += scale * channels[c];
                }
            }
        }

        public override void Dispose()
        {
            ArrayPool<float>.Shared.Return(_core);
            ArrayPool<float>.Shared.Return(_channels);
        }
    }
}
