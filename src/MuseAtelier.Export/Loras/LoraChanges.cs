using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>Makes the changes of a LoRA's modules, and checks that all shapes fit. Reads nothing but alpha and scalar.</summary>
internal static class LoraChanges
{
    /// <summary>The changes of a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="layer">The layer of the model.</param>
    /// <param name="strength">The factor of the changes.</param>
    /// <param name="others">Receives the names of tensors that change a weight or bias which the layer does not have.</param>
    /// <exception cref="LoraException">Tensors are missing, or have shapes that do not fit.</exception>
    public static IReadOnlyList<LoraChange> Of(LoraModule module, LoraLayer layer, float strength, List<string> others)
    {
        List<LoraChange> changes = [];
        if (layer.Weight is { } weight) AddWeight(module, weight, strength, changes);
        else if (module.HasWeightChange) others.Add(module.Name);
        if (layer.Bias is { } bias) AddBias(module, bias, strength, changes);
        else if (module.Find(LoraRole.BiasDifference) is { } difference) others.Add(difference.Name);
        return changes;
    }

    private static void AddWeight(LoraModule module, LoraTarget target, float strength, List<LoraChange> changes)
    {
        if (LoraDeltas.Find(module, target) is var (delta, scale))
        {
            Require(module, module.Name, delta.Rows, delta.Columns, target);
            bool isDecomposed = module.Has(LoraRole.Magnitude) || module.Has(LoraRole.MagnitudeVector);
            changes.Add(isDecomposed
                ? new LoraDecomposition(module, target, strength, delta, scale)
                : new LoraAddition(module, target, strength, delta, scale));
        }
        else if ((module.Find(LoraRole.Magnitude) ?? module.Find(LoraRole.MagnitudeVector)) is { } magnitude)
            throw new LoraShapeException(module.Path, module.Name, $"has '{magnitude.Name}' alone", "a change that the magnitudes belong to");

        if (module.Has(LoraRole.Difference))
            changes.Add(new LoraAddition(module, target, strength, Full(module, LoraRole.Difference, target), 1));
        if (module.Has(LoraRole.Replacement))
            changes.Add(new LoraReplacement(module, target, strength, FullMatrix(module, LoraRole.Replacement, target)));
    }

    private static void AddBias(LoraModule module, LoraTarget target, float strength, List<LoraChange> changes)
    {
        if (module.Has(LoraRole.BiasDifference))
            changes.Add(new LoraAddition(module, target, strength, Full(module, LoraRole.BiasDifference, target), 1));
        // PEFT's bias of the upper factor is scaled as the product is. (src/peft/tuners/lora/layer.py, merge.)
        if (!module.Has(LoraRole.UpBias)) return;
        double scale = module.Scale(module.Get(LoraRole.Down).Rows);
        changes.Add(new LoraAddition(module, target, strength, Full(module, LoraRole.UpBias, target), scale));
    }

    private static MatrixDelta Full(LoraModule module, LoraRole role, LoraTarget target) => new(FullMatrix(module, role, target));

    // A vector may be stored as [n] or [n, 1], and a matrix as a convolution of one pixel.
    private static TensorMatrix FullMatrix(LoraModule module, LoraRole role, LoraTarget target)
    {
        TensorMatrix stored = module.Matrix(role);
        Require(module, stored.Tensor.Name, stored.Rows, stored.Columns, target);
        return stored;
    }

    private static void Require(LoraModule module, string name, long rows, long columns, LoraTarget target)
    {
        (long expectedRows, long expectedColumns) = target.IsTransposed ? (target.RowLength, target.Rows) : (target.Rows, target.RowLength);
        if (rows == expectedRows && columns == expectedColumns) return;
        throw new LoraShapeException(
            module.Path, name, Invariant($"changes a weight of {rows} x {columns}"),
            Invariant($"{expectedRows} x {expectedColumns}, as '{SafetensorsHeader.Shorten(target.Key)}' of the model has"));
    }
}
