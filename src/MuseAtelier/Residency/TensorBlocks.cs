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
    public static (long Bytes, long[] Offsets) Place(ComponentSpec component, IEnumerable<TensorSpec> tensors, PictureShape shape)
    {
        Dictionary<string, Lifetime> lifetimes = Lifetimes(component);
        return BufferPlan.Place([.. tensors.Select(Entry)]);

        (long Bytes, int First, int Last) Entry(TensorSpec tensor)
        {
            Lifetime lifetime = lifetimes.GetValueOrDefault(tensor.Name, new Lifetime(-1, -1));
            return (tensor.Bytes(shape), lifetime.First, lifetime.Last);
        }
    }

    // Inputs must outlive the run, because a caller may run again without writing them again. Outputs live to the end.
    private static Dictionary<string, Lifetime> Lifetimes(ComponentSpec component)
    {
        Dictionary<string, Lifetime> lifetimes = [];
        for (int i = 0; i < component.Stages.Count; i++)
        {
            StageSpec stage = component.Stages[i];
            foreach (BindingSpec binding in stage.Inputs.Concat(stage.Outputs))
                lifetimes[binding.Tensor] = new Lifetime(FirstOf(binding.Tensor, i), i);
        }

        foreach (TensorSpec output in component.Outputs)
            lifetimes[output.Name] = new Lifetime(FirstOf(output.Name, -1), component.Stages.Count);
        foreach (TensorSpec input in component.Inputs) lifetimes[input.Name] = new Lifetime(0, component.Stages.Count);
        return lifetimes;

        int FirstOf(string tensor, int otherwise) => lifetimes.TryGetValue(tensor, out Lifetime known) ? known.First : otherwise;
    }

    // The first and the last stage during which a tensor is needed.
    private readonly record struct Lifetime(int First, int Last);
}
