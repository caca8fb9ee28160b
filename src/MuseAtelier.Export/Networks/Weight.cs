using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

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

    /// <summary>The slices of the checkpoint whose sum is the weight.</summary>
    public IReadOnlyList<TensorSlice> Slices
    {
        get
        {
            // A transpose is read whole: its rows are the weight's columns.
            var own = new TensorSlice(Tensor.Name, FirstRow, IsTurned ? Shape[1] : Shape[0])
            {
                Multiplier = Multiplier?.Name,
                Scale = Scale == 1 ? null : Scale,
            };
            return Plus is null ? [own] : [own, .. Plus.Slices];
        }
    }

    /// <summary>The element type in which the package stores the weight unless the lowering needs another.</summary>
    public ElementType Stored => Tensor.WeightType ?? throw new InvalidOperationException($"{Tensor.Name} has no usable type.");

    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The first (0) or second (1) half of the rows.</summary>
    public Weight Half(int half)
    {
        long rows = Shape[0] / 2;
        return this with { FirstRow = FirstRow + half * rows, Shape = [rows, .. Shape.Skip(1)], Plus = Plus?.Half(half) };
    }
}
