using System.Numerics.Tensors;
using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>The vectors of a weight that have a magnitude of their own in DoRA, and the norm that they are divided by.</summary>
internal enum DecompositionAxis
{
    /// <summary>
    /// Rows, with the norm of the unchanged weight: <c>dora_scale</c> of [out, 1]. (ComfyUI comfy/weight_adapter/base.py and Forge
    /// packages_3rdparty/comfyui_lora_collection, weight_decompose.)
    /// </summary>
    RowsOfWeight,

    /// <summary>Rows, with the norm of the changed weight: <c>lora_magnitude_vector</c>. (PEFT src/peft/tuners/lora/dora.py.)</summary>
    RowsOfSum,

    /// <summary>Input channels, with the norm of the changed weight: <c>dora_scale</c> of [1, in]. (ComfyUI, as above.)</summary>
    ChannelsOfSum,
}

/// <summary>
/// DoRA (Liu et al. 2024, arXiv:2402.09353): V = W + scale * change, V' = V * magnitude / (norm + eps), W + strength * (V' - W).
/// </summary>
internal sealed class LoraDecomposition : LoraChange
{
    // The epsilon of binary32, as torch.finfo has it.
    private const float Epsilon = 1.1920929e-7f;

    private readonly LoraDelta _delta;
    private readonly double _scale;
    private readonly TensorMatrix _magnitude;
    private readonly int _plane;

    /// <summary>Makes the change.</summary>
    /// <param name="module">The tensors.</param>
    /// <param name="target">The rows of the checkpoint that are changed.</param>
    /// <param name="strength">The factor of the change.</param>
    /// <param name="delta">The change before the decomposition.</param>
    /// <param name="scale">The factor of the change: alpha / rank.</param>
    /// <exception cref="LoraShapeException">The magnitudes do not fit the weight.</exception>
    public LoraDecomposition(LoraModule module, LoraTarget target, float strength, LoraDelta delta, double scale)
        : base(module, target, strength)
    {
        _delta = delta;
        _scale = scale;
        bool isVector = module.Has(LoraRole.MagnitudeVector);
        _magnitude = module.Matrix(isVector ? LoraRole.MagnitudeVector : LoraRole.Magnitude);
        _plane = (int)Math.Max(1, target.Inner.Skip(1).Aggregate(1L, (product, size) => product * size));
        long elements = _magnitude.Tensor.Elements;
        if (isVector) Axis = DecompositionAxis.RowsOfSum;
        else if (_magnitude.Tensor.Rows == delta.Rows) Axis = DecompositionAxis.RowsOfWeight;
        else Axis = DecompositionAxis.ChannelsOfSum;
        int expected = Axis == DecompositionAxis.ChannelsOfSum ? delta.Columns / _plane : delta.Rows;
        if (elements == expected) return;
        throw new LoraShapeException(
            module.Path, _magnitude.Tensor.Name, $"has shape {SafetensorsHeader.ShapeText(_magnitude.Tensor.Shape)}",
            Invariant($"one number for each of {delta.Rows} rows or {delta.Columns / _plane} input channels"));
    }

    /// <summary>The vectors that have a magnitude.</summary>
    public DecompositionAxis Axis { get; }

    /// <inheritdoc/>
    public override bool ReadsWeight => true;

    /// <inheritdoc/>
    public override LoraChangeReader Open() => new Reader(this);

    /// <summary>Changes rows, or measures them first where all rows of the target are needed.</summary>
    internal sealed class Reader(LoraDecomposition owner) : LoraChangeReader
    {
        private readonly LoraDeltaReader _delta = owner._delta.Open();
        private readonly float[] _magnitude = owner._magnitude.ToArray();
        private readonly double[] _squares = owner.Axis == DecompositionAxis.ChannelsOfSum ? new double[owner._magnitude.Tensor.Elements] : [];

        /// <summary>Whether <see cref="Measure"/> must see all rows of the target before the first one is changed.</summary>
        public bool NeedsMeasure => owner.Axis == DecompositionAxis.ChannelsOfSum;

        /// <summary>Adds rows to the norms of the input channels.</summary>
        public void Measure(int firstRow, RowBlock block, float scale)
        {
            using RowBlock sum = Sum(firstRow, block, scale);
            for (int i = 0; i < sum.Rows; i++)
            {
                ReadOnlySpan<float> row = sum.Row(i);
                for (int c = 0; c < row.Length; c++) _squares[c / owner._plane] += (double)row[c] * row[c] / ((double)scale * scale);
            }
        }

        public override void Apply(int firstRow, RowBlock block, float scale)
        {
            using RowBlock sum = Sum(firstRow, block, scale);
            for (int i = 0; i < block.Rows; i++)
            {
                Span<float> weight = block.Row(i), changed = sum.Row(i);
                if (owner.Axis == DecompositionAxis.ChannelsOfSum) ScaleChannels(changed);
                else ScaleRow(changed, owner.Axis == DecompositionAxis.RowsOfWeight ? weight : changed, _magnitude[firstRow + i], scale);
                // W + strength * (V' - W), and V' itself at strength 1, which the subtraction would round.
                if (owner.Strength == 1) changed.CopyTo(weight);
                else
                {
                    TensorPrimitives.Subtract(changed, weight, changed);
                    TensorPrimitives.MultiplyAdd(changed, owner.Strength, weight, weight);
                }
            }
        }

        public override void Dispose() => _delta.Dispose();

        private RowBlock Sum(int firstRow, RowBlock block, float scale)
        {
            var sum = new RowBlock(block.Rows, block.Columns);
            for (int i = 0; i < block.Rows; i++) block.Row(i).CopyTo(sum.Row(i));
            _delta.Add(firstRow, block, sum, owner._scale, scale);
            return sum;
        }

        private static void ScaleRow(Span<float> changed, ReadOnlySpan<float> measured, float magnitude, float scale)
        {
            double squares = 0;
            foreach (float value in measured) squares += (double)value * value;
            float factor = (float)(magnitude / ((Math.Sqrt(squares) / scale) + Epsilon));
            TensorPrimitives.Multiply(changed, factor, changed);
        }

        private void ScaleChannels(Span<float> changed)
        {
            for (int c = 0; c < changed.Length; c++)
            {
                int channel = c / owner._plane;
                changed[c] *= (float)(_magnitude[channel] / (Math.Sqrt(_squares[channel]) + Epsilon));
            }
        }
    }
}
