using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Packages;
using static System.FormattableString;

namespace MuseAtelier.Export.Networks;

/// <summary>A weight of a network: a tensor of the checkpoint, or some rows of one, times a power of two.</summary>
/// <param name="Tensor">The checkpoint's tensor.</param>
/// <param name="FirstRow">The first row of the weight. Rows are the outermost dimension.</param>
/// <param name="Shape">Dimensions of the weight: [out, in] for a product, [out, in, kernel, kernel] for a convolution.</param>
/// <param name="Scale">A power of two that multiplies every element.</param>
internal sealed record Weight(SafetensorsTensor Tensor, long FirstRow, IReadOnlyList<long> Shape, float Scale = 1)
{
    /// <summary>A weight of the same shape to add, where one sum has two biases.</summary>
    public Weight? Plus { get; init; }

    /// <summary>The factors of the stored numbers: one number, or one for each row of the tensor. Null means 1.</summary>
    public SafetensorsTensor? Multiplier { get; init; }

    /// <summary>Whether the checkpoint stores the transpose. The weight is then the whole tensor.</summary>
    public bool IsTurned { get; init; }

    /// <summary>The source of the values, in words.</summary>
    public string Source => Own + (Plus is null ? "" : $" + {Plus.Source}");

    private string Own
    {
        get
        {
            string transpose = IsTurned ? "^T" : "";
            string multiplier = Multiplier is null ? "" : $" * {Multiplier.Name}";
            string scale = Scale == 1 ? "" : Invariant($" * {Scale}");
            return Tensor.Name + RowsText + transpose + multiplier + scale;
        }
    }

    private string RowsText
    {
        get
        {
            bool hasRows = !IsTurned && Shape.Count > 0 && Tensor.Shape.Count > 0;
            return hasRows && Shape[0] != Tensor.Shape[0] ? Invariant($"[{FirstRow}..{FirstRow + Shape[0]}]") : "";
        }
    }

    /// <summary>The element type in which the package stores the weight unless the lowering needs another.</summary>
    public ElementType Stored => Tensor.WeightType ?? throw new InvalidOperationException($"{Tensor.Name} has no usable type.");

    /// <summary>Whether the weight equals the checkpoint's bytes.</summary>
    public bool IsPlain => Scale == 1 && Plus is null && Multiplier is null && !IsTurned && Tensor.Type == Stored;

    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The first (0) or second (1) half of the rows.</summary>
    public Weight Half(int half)
    {
        long rows = Shape[0] / 2;
        return this with { FirstRow = FirstRow + half * rows, Shape = [rows, .. Shape.Skip(1)], Plus = Plus?.Half(half) };
    }

    /// <summary>The index of the first element in the checkpoint's tensor.</summary>
    public long FirstElement => Shape.Count == 0 ? 0 : FirstRow * (Elements / Shape[0]);
}
