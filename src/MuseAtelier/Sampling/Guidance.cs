using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Classifier-free guidance (Ho and Salimans, 2022): unconditional + scale * (conditional - unconditional), with the prediction for the
/// negative prompt as the unconditional one.
/// </summary>
/// <param name="request">The request, which has the guidance scale.</param>
internal sealed class Guidance(PictureRequest request)
{
    private readonly float _scale = request.GuidanceScale;

    /// <summary>Whether predictions are guided, and a batch has rows for the negative prompt.</summary>
    public bool IsGuided { get; } = request.IsGuided;

    /// <summary>Guides the output of every picture of a batch, in place; does nothing without guidance.</summary>
    public void Apply(LatentBatch batch)
    {
        if (!IsGuided) return;
        for (int i = 0; i < batch.Pictures; i++) Apply(batch.UnconditionalOutput(i), batch.Output(i), _scale);
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
