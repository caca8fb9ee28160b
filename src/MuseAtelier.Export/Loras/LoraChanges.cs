using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>Makes the changes of a LoRA's modules, and checks that all shapes fit.</summary>
internal static class LoraChanges
{
    /// <summary>The changes of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="layer">The layer of the model.</param>
    /// <param name="strength">The factor of the changes.</param>
    /// <exception cref="LoraException">Tensors are missing, or have shapes that do not fit.</exception>
    public static IEnumerable<LoraChange> Of(LoraModule module, LoraLayer layer, float strength)
    {
        if (layer.Weight is { } weight && Matrix(module, weight) is var (matrix, rank))
        {
            Require(module, matrix, weight);
            yield return new LoraAddition(module, weight, strength, matrix, module.Scale(rank));
        }
    }

    private static (LoraMatrix Matrix, long Rank)? Matrix(LoraModule module, LoraTarget target)
    {
        if (module.Has(LoraRole.Down) || module.Has(LoraRole.Up)) return Product(module);
        return null;
    }

    private static (LoraMatrix Matrix, long Rank) Product(LoraModule module)
    {
        TensorMatrix up = module.Matrix(LoraRole.Up), down = module.Matrix(LoraRole.Down);
        if (up.Columns != down.Rows)
        {
            string found = Invariant($"has factors of {up.Rows} x {up.Columns} and {down.Rows} x {down.Columns}");
            throw new LoraShapeException(module.Path, module.Name, found, "factors of one rank");
        }

        return (new ProductMatrix(up, down), down.Rows);
    }

    private static void Require(LoraModule module, LoraMatrix matrix, LoraTarget target)
    {
        (long rows, long columns) = target.IsTransposed ? (target.RowLength, target.Rows) : (target.Rows, target.RowLength);
        if (matrix.Rows == rows && matrix.Columns == columns) return;
        throw new LoraShapeException(
            module.Path, module.Name, Invariant($"changes a weight of {matrix.Rows} x {matrix.Columns}"),
            Invariant($"{rows} x {columns}, as '{target.Key}' of the model has"));
    }
}
