namespace MuseAtelier.Export.Loras;

/// <summary>Rows of a tensor of the checkpoint that a layer's weight or bias consists of.</summary>
/// <param name="Key">Name of the tensor.</param>
/// <param name="FirstRow">The first row.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Inner">The other dimensions.</param>
internal sealed record LoraTarget(string Key, long FirstRow, long Rows, IReadOnlyList<long> Inner)
{
    /// <summary>
    /// Whether the checkpoint stores the transpose of the layer's matrix. Rows and inner dimensions are the tensor's own then, which the
    /// target covers whole.
    /// </summary>
    public bool IsTransposed { get; init; }

    /// <summary>Elements of a row.</summary>
    public long RowLength => Inner.Aggregate(1L, (product, size) => checked(product * size));
}

/// <summary>A layer of the model.</summary>
/// <param name="Weight">Its weight; null where the package has none.</param>
/// <param name="Bias">Its bias; null where it has none.</param>
/// <param name="IsText">Whether it belongs to a text encoder.</param>
internal sealed record LoraLayer(LoraTarget? Weight, LoraTarget? Bias, bool IsText)
{
    /// <summary>
    /// Whether SDXL has the layer and never reads its output, so that a change of it has no effect and packages hold none of its weights.
    /// </summary>
    public bool IsUnread { get; init; }
}
