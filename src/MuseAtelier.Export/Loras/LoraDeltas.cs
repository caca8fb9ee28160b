using MuseAtelier.Export.Checkpoints;
using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>Makes the changes of each family from a module's tensors. (ComfyUI comfy/weight_adapter; LyCORIS lycoris/modules.)</summary>
internal static class LoraDeltas
{
    /// <summary>The change of a weight and its factor, alpha / rank; null where the module has none of a family.</summary>
    /// <param name="module">The module.</param>
    /// <param name="target">The weight.</param>
    /// <exception cref="LoraException">Tensors are missing, or have shapes that do not fit.</exception>
    public static (LoraDelta Delta, double Scale)? Find(LoraModule module, LoraTarget target)
    {
        (LoraDelta Delta, long Rank)? found = module switch
        {
            _ when module.Has(LoraRole.Down) || module.Has(LoraRole.Up) => Lora(module),
            _ when module.Has(LoraRole.HadaW1A) || module.Has(LoraRole.HadaW1B) => Loha(module),
            _ when HasAny(module, LoraRole.LokrW1, LoraRole.LokrW1A, LoraRole.LokrW2, LoraRole.LokrW2A) => Lokr(module),
            _ when module.Has(LoraRole.A1) || module.Has(LoraRole.B1) => Glora(module, target),
            _ => null,
        };
        if (found is not var (delta, rank)) return null;
        // A rank of 0 stands for a change that alpha does not scale.
        double scale = rank == 0 ? 1 : module.Scale(rank);
        return (delta, scale * module.Number(LoraRole.Scalar));
    }

    // W + alpha / rank * up x down. Of a convolution, the lower factor has the kernel, or the core that lies between the two.
    private static (LoraDelta, long) Lora(LoraModule module)
    {
        TensorMatrix up = module.Matrix(LoraRole.Up), down = module.Matrix(LoraRole.Down);
        LoraMatrix right = module.Has(LoraRole.Mid) ? Tucker(module, LoraRole.Mid, down) : down;
        return (new MatrixDelta(Product(module, new LeftFactor(up, isTurned: false), right)), down.Rows);
    }

    // alpha / rank * (w1a x w1b) * (w2a x w2b), element by element.
    private static (LoraDelta, long) Loha(LoraModule module)
    {
        LoraMatrix first = Part(module, LoraRole.HadaW1A, LoraRole.HadaW1B, LoraRole.HadaT1);
        LoraMatrix second = Part(module, LoraRole.HadaW2A, LoraRole.HadaW2B, LoraRole.HadaT2);
        if (first.Rows != second.Rows || first.Columns != second.Columns)
        {
            string found = Invariant($"multiplies {first.Rows} x {first.Columns} by {second.Rows} x {second.Columns} element by element");
            throw new LoraShapeException(module.Path, module.Name, found, "two matrices of one size");
        }

        return (new MatrixDelta(new HadamardMatrix(first, second)), module.Matrix(LoraRole.HadaW1B).Rows);
    }

    // The Kronecker product of w1 and w2, each stored whole or as a product. The rank is that of w2, or of w1 where w2 is whole.
    private static (LoraDelta, long) Lokr(LoraModule module)
    {
        LoraMatrix first = module.Has(LoraRole.LokrW1)
            ? module.Matrix(LoraRole.LokrW1)
            : Part(module, LoraRole.LokrW1A, LoraRole.LokrW1B, core: null);
        LoraMatrix second = module.Has(LoraRole.LokrW2)
            ? module.Matrix(LoraRole.LokrW2)
            : Part(module, LoraRole.LokrW2A, LoraRole.LokrW2B, LoraRole.LokrT2);
        if ((long)first.Rows * second.Rows > int.MaxValue || (long)first.Columns * second.Columns > int.MaxValue)
        {
            string found = Invariant($"is a Kronecker product of {first.Rows} x {first.Columns} and {second.Rows} x {second.Columns}");
            throw new LoraShapeException(module.Path, module.Name, found, "a product of less than 2^31 rows and columns");
        }

        long rank = 0;
        if (!module.Has(LoraRole.LokrW2)) rank = module.Matrix(LoraRole.LokrW2B).Rows;
        else if (!module.Has(LoraRole.LokrW1)) rank = module.Matrix(LoraRole.LokrW1B).Rows;
        return (new MatrixDelta(new KroneckerMatrix(first, second)), rank);
    }

    // W x A + B. The old layout of LyCORIS stores each factor transposed, and so in the other order.
    private static (LoraDelta, long) Glora(LoraModule module, LoraTarget target)
    {
        TensorMatrix a1 = module.Matrix(LoraRole.A1), a2 = module.Matrix(LoraRole.A2);
        TensorMatrix b1 = module.Matrix(LoraRole.B1), b2 = module.Matrix(LoraRole.B2);
        bool isOld = b2.Columns == b1.Rows && b1.Rows == a1.Rows && a1.Rows == a2.Columns;
        bool isNew = b2.Rows == b1.Columns && b1.Columns == a1.Columns && a1.Columns == a2.Rows;
        // Of square factors of a square weight both fit, and the old layout is meant.
        bool isSquare = isOld && a2.Rows == target.Rows && target.Rows == target.RowLength;
        bool takesOld = isOld && (!isNew || isSquare);
        if (!isOld && !isNew)
            throw new LoraShapeException(module.Path, module.Name, "has factors a1, a2, b1 and b2 of different ranks", "factors of one rank");
        (TensorMatrix inner, TensorMatrix outer) = takesOld ? (a2, a1) : (a1, a2);
        (TensorMatrix left, TensorMatrix right) = takesOld ? (b2, b1) : (b1, b2);
        long channels = target.IsTransposed ? target.Rows : target.Inner.Count == 0 ? 1 : target.Inner[0];
        if (inner.Rows != channels || outer.Columns != channels)
        {
            string found = Invariant($"mixes {inner.Rows} channels into {outer.Columns}");
            throw new LoraShapeException(module.Path, module.Name, found, Invariant($"{channels}, as '{target.Key}' of the model has"));
        }

        LoraMatrix added = Product(module, new LeftFactor(left, isTurned: false), right);
        return (new GloraDelta(inner, outer, added), inner.Columns);
    }

    // A product of two factors. With a core both factors are stored [rank, size], the first one for the rows.
    private static ProductMatrix Part(LoraModule module, LoraRole left, LoraRole right, LoraRole? core)
    {
        TensorMatrix a = module.Matrix(left), b = module.Matrix(right);
        bool hasCore = core is { } role && module.Has(role);
        return Product(module, new LeftFactor(a, isTurned: hasCore), hasCore ? Tucker(module, core!.Value, b) : b);
    }

    private static ProductMatrix Product(LoraModule module, LeftFactor left, LoraMatrix right)
    {
        if (left.Rank == right.Rows) return new ProductMatrix(left, right);
        string found = Invariant($"has factors of {left.Rows} x {left.Rank} and {right.Rows} x {right.Columns}");
        throw new LoraShapeException(module.Path, module.Name, found, "factors of one rank");
    }

    private static TuckerMatrix Tucker(LoraModule module, LoraRole core, TensorMatrix factor)
    {
        TensorMatrix stored = module.Matrix(core);
        IReadOnlyList<long> shape = stored.Tensor.Shape;
        string text = SafetensorsHeader.ShapeText(shape);
        if (shape.Count < 2 || shape[1] != factor.Rows)
            throw new LoraShapeException(module.Path, stored.Tensor.Name, $"has shape {text}", Invariant($"[rank, {factor.Rows}, kernel, kernel]"));
        if ((long)(stored.Columns / factor.Rows) * factor.Columns > int.MaxValue)
            throw new LoraShapeException(module.Path, stored.Tensor.Name, $"has shape {text}", "a change of less than 2^31 columns");
        return new TuckerMatrix(stored, factor);
    }

    private static bool HasAny(LoraModule module, params ReadOnlySpan<LoraRole> roles)
    {
        foreach (LoraRole role in roles)
        {
            if (module.Has(role)) return true;
        }

        return false;
    }
}
