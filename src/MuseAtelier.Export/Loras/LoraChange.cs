namespace MuseAtelier.Export.Loras;

/// <summary>What a LoRA does to a weight or bias of the model. Thread-safe.</summary>
/// <param name="module">The tensors.</param>
/// <param name="target">The rows of the checkpoint that are changed.</param>
/// <param name="strength">The factor of the change.</param>
internal abstract class LoraChange(LoraModule module, LoraTarget target, float strength)
{
    /// <summary>The tensors.</summary>
    public LoraModule Module => module;

    /// <summary>The rows of the checkpoint that are changed.</summary>
    public LoraTarget Target => target;

    /// <summary>The factor of the change.</summary>
    public float Strength => strength;

    /// <summary>Whether the result depends on the checkpoint's values of these rows alone, and not on a sum with others.</summary>
    public abstract bool ReadsWeight { get; }

    /// <summary>The change as factor * product, which is added; null where it is something else.</summary>
    public virtual (ProductMatrix Matrix, double Factor)? Product => null;

    /// <summary>Prepares the change of a weight on one thread.</summary>
    public abstract LoraChangeReader Open();
}

/// <summary>Changes rows of a weight on one thread. The creator disposes it.</summary>
internal abstract class LoraChangeReader : IDisposable
{
    /// <summary>Changes rows in place.</summary>
    /// <param name="firstRow">The target's row that belongs to the block's first one.</param>
    /// <param name="block">The rows. All of them belong to the target.</param>
    /// <param name="scale">The factor by which the package multiplies the checkpoint's values.</param>
    public abstract void Apply(int firstRow, RowBlock block, float scale);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Adds strength * scale * change.</summary>
/// <param name="module">The tensors.</param>
/// <param name="target">The rows of the checkpoint that are changed.</param>
/// <param name="strength">The factor of the change.</param>
/// <param name="delta">The change.</param>
/// <param name="scale">The factor of the change: alpha / rank.</param>
internal sealed class LoraAddition(LoraModule module, LoraTarget target, float strength, LoraDelta delta, double scale)
    : LoraChange(module, target, strength)
{
    /// <inheritdoc/>
    public override bool ReadsWeight => delta.ReadsWeight;

    /// <inheritdoc/>
    public override (ProductMatrix Matrix, double Factor)? Product =>
        delta is MatrixDelta { Matrix: ProductMatrix product } ? (product, Factor) : null;

    private double Factor => Strength * scale;

    /// <inheritdoc/>
    public override LoraChangeReader Open() => new Reader(delta.Open(), Factor);

    private sealed class Reader(LoraDeltaReader delta, double factor) : LoraChangeReader
    {
        public override void Apply(int firstRow, RowBlock block, float scale) => delta.Add(firstRow, block, block, factor, scale);

        public override void Dispose() => delta.Dispose();
    }
}

/// <summary>Replaces the weight, whatever the strength is. (ComfyUI comfy/lora.py, the patch "set".)</summary>
/// <param name="module">The tensors.</param>
/// <param name="target">The rows of the checkpoint that are changed.</param>
/// <param name="strength">The factor of other changes of the file.</param>
/// <param name="matrix">The new weight.</param>
internal sealed class LoraReplacement(LoraModule module, LoraTarget target, float strength, LoraMatrix matrix)
    : LoraChange(module, target, strength)
{
    /// <inheritdoc/>
    public override bool ReadsWeight => true;

    /// <inheritdoc/>
    public override LoraChangeReader Open() => new Reader(matrix.Open());

    private sealed class Reader(LoraMatrixReader matrix) : LoraChangeReader
    {
        public override void Apply(int firstRow, RowBlock block, float scale)
        {
            block.Clear();
            matrix.Add(firstRow, block, scale);
        }

        public override void Dispose() => matrix.Dispose();
    }
}
