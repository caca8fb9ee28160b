using System.Globalization;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>A weight of a network: a tensor of the checkpoint, or some rows of one, times a power of two.</summary>
/// <param name="Tensor">The checkpoint's tensor.</param>
/// <param name="FirstRow">First row taken; rows are the outermost dimension.</param>
/// <param name="Shape">Dimensions of what is taken; [out, in] for a product, [out, in, kernel, kernel] for a convolution.</param>
/// <param name="Scale">A power of two that every element is multiplied with.</param>
internal sealed record Weight(SafetensorsTensor Tensor, long FirstRow, IReadOnlyList<long> Shape, float Scale = 1)
{
    /// <summary>A weight of the same shape that is added: two biases that one sum takes become one.</summary>
    public Weight? Plus { get; init; }

    /// <summary>
    /// What the stored numbers are multiplied with to give the weight: one number, or one for each row of the tensor; null means 1.
    /// </summary>
    public SafetensorsTensor? Multiplier { get; init; }

    /// <summary>Whether the checkpoint has the transpose; then all of it is taken.</summary>
    public bool IsTurned { get; init; }

    /// <summary>Where it comes from, in words.</summary>
    public string Source => Own + (Plus is null ? "" : $" + {Plus.Source}");

    private string Own => Tensor.Name + RowsText + (IsTurned ? "^T" : "") + (Multiplier is null ? "" : $" * {Multiplier.Name}")
        + (Scale == 1 ? "" : FormattableString.Invariant($" * {Scale}"));

    private string RowsText =>
        !IsTurned && Shape.Count > 0 && Tensor.Shape.Count > 0 && Shape[0] != Tensor.Shape[0]
            ? string.Create(CultureInfo.InvariantCulture, $"[{FirstRow}..{FirstRow + Shape[0]}]") : "";

    /// <summary>Element type in which the package keeps it where nothing asks for another.</summary>
    public ElementType Stored => Tensor.WeightType ?? throw new InvalidOperationException($"{Tensor.Name} has no usable type.");

    /// <summary>Whether the checkpoint's bytes are the weight's.</summary>
    public bool IsPlain => Scale == 1 && Plus is null && Multiplier is null && !IsTurned && Tensor.Type == Stored;

    /// <summary>Elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The first (0) or second (1) half of the rows.</summary>
    public Weight Half(int half) => this with { FirstRow = FirstRow + half * (Shape[0] / 2), Shape = [Shape[0] / 2, .. Shape.Skip(1)], Plus = Plus?.Half(half) };

    /// <summary>First element within the checkpoint's tensor.</summary>
    public long FirstElement => Shape.Count == 0 ? 0 : FirstRow * (Elements / Shape[0]);
}
