using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Classifier-free guidance (Ho and Salimans, 2022): unconditional + scale * (conditional - unconditional), with the prediction for the
/// negative prompt as the unconditional one.
/// </summary>
/// <param name="scale">The guidance scale.</param>
internal sealed class Guidance(float scale)
{
    /// <summary>Whether predictions are guided, and a batch has rows for the negative prompt.</summary>
    public bool IsGuided { get; } = Guides(scale);

    /// <summary>Whether a guidance scale has an effect. At 1 the formula gives the conditional prediction itself.</summary>
    public static bool Guides(float scale) => scale > 1;

    /// <summary>Guides the output of every picture of a batch, in place; does nothing without guidance.</summary>
    public void Apply(LatentBatch batch)
    {
        if (!IsGuided) return;
        for (int i = 0; i < batch.Pictures; i++) Apply(batch.UnconditionalOutput(i), batch.Output(i), scale);
    }

    /// <summary>Guides one prediction; allocates nothing.</summary>
    /// <param name="unconditional">The prediction for the negative prompt; borrowed.</param>
    /// <param name="conditional">The prediction for the prompt, as long as <paramref name="unconditional"/>; receives the result.</param>
    /// <param name="scale">The guidance scale.</param>
    /// <exception cref="ArgumentException">The predictions overlap.</exception>
    public static void Apply(ReadOnlySpan<float> unconditional, Span<float> conditional, float scale)
    {
        if (unconditional.Overlaps(conditional))
            throw new ArgumentException("The result would overwrite the unconditional prediction, read twice.", nameof(conditional));
        TensorPrimitives.Subtract(conditional, unconditional, conditional);
        TensorPrimitives.MultiplyAdd(conditional, scale, unconditional, conditional);
    }
}
