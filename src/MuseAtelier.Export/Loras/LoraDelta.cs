using System.Numerics.Tensors;

namespace MuseAtelier.Export.Loras;

/// <summary>The change of a weight before its strength, as a function of the weight. Thread-safe.</summary>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
internal abstract class LoraDelta(int rows, int columns)
{
    /// <summary>Number of rows.</summary>
    public int Rows { get; } = rows;

    /// <summary>Number of columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>Whether it depends on the weight.</summary>
    public abstract bool ReadsWeight { get; }

    /// <summary>Prepares reading on one thread.</summary>
    public abstract LoraDeltaReader Open();
}

/// <summary>Reads rows of a <see cref="LoraDelta"/> on one thread. The creator disposes it.</summary>
internal abstract class LoraDeltaReader : IDisposable
{
    /// <summary>Adds factor * rows of the change.</summary>
    /// <param name="firstRow">The row that belongs to the first one of the blocks.</param>
    /// <param name="weight">The weight's rows, multiplied by <paramref name="scale"/>.</param>
    /// <param name="target">Receives the sum. It may be <paramref name="weight"/> itself.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="scale">The factor by which the package multiplies the checkpoint's values.</param>
    public abstract void Add(int firstRow, RowBlock weight, RowBlock target, double factor, float scale);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A change that does not depend on the weight.</summary>
/// <param name="matrix">The change.</param>
internal sealed class MatrixDelta(LoraMatrix matrix) : LoraDelta(matrix.Rows, matrix.Columns)
{
    /// <summary>The change.</summary>
    public LoraMatrix Matrix => matrix;

    /// <inheritdoc/>
    public override bool ReadsWeight => false;

    /// <inheritdoc/>
    public override LoraDeltaReader Open() => new Reader(matrix.Open());

    private sealed class Reader(LoraMatrixReader matrix) : LoraDeltaReader
    {
        public override void Add(int firstRow, RowBlock weight, RowBlock target, double factor, float scale) =>
            matrix.Add(firstRow, target, (float)(factor * scale));

        public override void Dispose() => matrix.Dispose();
    }
}

/// <summary>
/// The change of GLoRA (Chavan et al. 2023, arXiv:2306.07967): W x A + B, with both A and B products of small factors. Of a convolution,
/// A mixes the input channels and leaves the kernel alone. (ComfyUI comfy/weight_adapter/glora.py.)
/// </summary>
/// <param name="inner">The factor of A next to the weight, [channels, rank].</param>
/// <param name="outer">The other factor of A, [rank, channels].</param>
/// <param name="added">B.</param>
internal sealed class GloraDelta(TensorMatrix inner, TensorMatrix outer, LoraMatrix added) : LoraDelta(added.Rows, added.Columns)
{
    /// <inheritdoc/>
    public override bool ReadsWeight => true;

    /// <inheritdoc/>
    public override LoraDeltaReader Open() => new Reader(inner, outer, added.Open());

    private sealed class Reader(TensorMatrix inner, TensorMatrix outer, LoraMatrixReader added) : LoraDeltaReader
    {
        private readonly float[] _inner = inner.ToArray();
        private readonly float[] _outer = outer.ToArray();
        private readonly float[] _mixed = new float[inner.Columns];
        private readonly float[] _channels = new float[outer.Columns];

        public override void Add(int firstRow, RowBlock weight, RowBlock target, double factor, float scale)
        {
            int plane = weight.Columns / inner.Rows;
            for (int i = 0; i < weight.Rows; i++)
            {
                for (int p = 0; p < plane; p++) AddPlace(weight.Row(i)[p..], target.Row(i)[p..], plane, (float)factor);
            }

            added.Add(firstRow, target, (float)(factor * scale));
        }

        public override void Dispose() => added.Dispose();

        // One place of the kernel: every plane-th element of the row is an input channel.
        private void AddPlace(ReadOnlySpan<float> weight, Span<float> target, int plane, float factor)
        {
            int rank = inner.Columns;
            _mixed.AsSpan().Clear();
            for (int c = 0; c < inner.Rows; c++)
                TensorPrimitives.MultiplyAdd(_inner.AsSpan(c * rank, rank), weight[c * plane], _mixed, _mixed);
            _channels.AsSpan().Clear();
            for (int k = 0; k < rank; k++)
                TensorPrimitives.MultiplyAdd(_outer.AsSpan(k * outer.Columns, outer.Columns), _mixed[k], _channels, _channels);
            for (int c = 0; c < outer.Columns; c++) target[c * plane] += factor * _channels[c];
        }
    }
}
