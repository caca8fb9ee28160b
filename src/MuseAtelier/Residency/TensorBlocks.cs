using MuseAtelier.Format;

namespace MuseAtelier.Residency;

/// <summary>
/// The block of memory for the tensors of a component between its stages. Tensors whose lifetimes do not overlap share bytes.
/// </summary>
internal static class TensorBlocks
{
    /// <summary>Computes the size of a component's block, in bytes.</summary>
    /// <param name="component">The component.</param>
    /// <param name="shape">The sizes that the tensors' dimensions resolve to.</param>
    /// <param name="isPlaced">Whether a tensor lies outside of the block; null means that none does.</param>
    public static long Bytes(ComponentSpec component, PictureShape shape, Func<TensorSpec, bool>? isPlaced = null)
    {
        IEnumerable<TensorSpec> own = component.Inputs
            .Concat(component.Outputs)
            .Concat(component.Intermediates)
            .Where(tensor => isPlaced is null || !isPlaced(tensor));
        return Place(component, own, shape).Bytes;
    }

    /// <summary>Places tensors in a component's block.</summary>
    /// <param name="component">The component.</param>
    /// <param name="tensors">The tensors that lie in the block.</param>
    /// <param name="shape">The sizes that the tensors' dimensions resolve to.</param>
    /// <returns>The size of the block in bytes, and the offset of each tensor in the given order.</returns>
    public static (long Bytes, long[] Offsets) Place(ComponentSpec component, IEnumerable<TensorSpec> tensors, PictureShape shape) =>
        BufferPlan.Place([.. tensors.Select(tensor => Lifetime(component, tensor, shape))]);

    // Inputs must outlive the run, because a caller may run again without writing them again. Outputs live to the end.
    private static (long Bytes, int First, int Last) Lifetime(ComponentSpec component, TensorSpec tensor, PictureShape shape)
    {
        int first = -1;
        int last = -1;
        for (int i = 0; i < component.Stages.Count; i++)
        {
            StageSpec stage = component.Stages[i];
            if (stage.Inputs.Concat(stage.Outputs).All(binding => binding.Tensor != tensor.Name)) continue;
            if (first < 0) first = i;
            last = i;
        }

        bool isInput = component.Inputs.Any(input => input.Name == tensor.Name);
        bool isOutput = component.Outputs.Any(output => output.Name == tensor.Name);
        return (tensor.Bytes(shape), isInput ? 0 : first, isInput || isOutput ? component.Stages.Count : last);
    }
}
