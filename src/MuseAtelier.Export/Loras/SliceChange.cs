using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>A change of a weight, through one of its slices.</summary>
/// <param name="Change">The change.</param>
/// <param name="Slice">The slice.</param>
/// <param name="IsWhole">
/// Whether the weight is the whole tensor, read as the layer's matrix: all its rows are changed together, because one of the two is stored
/// transposed.
/// </param>
internal sealed record SliceChange(LoraChange Change, TensorSlice Slice, bool IsWhole)
{
    /// <summary>The first row of the weight that is changed.</summary>
    public int FirstRow => IsWhole ? 0 : (int)Math.Max(0, Change.Target.FirstRow - Slice.FirstRow);

    /// <summary>The first row of the weight that is not changed any more.</summary>
    public int EndRow => IsWhole
        ? int.MaxValue
        : (int)Math.Min(Slice.Rows, Change.Target.FirstRow + Change.Target.Rows - Slice.FirstRow);

    /// <summary>The factor by which the package multiplies the checkpoint's values.</summary>
    public float Scale => Slice.Scale ?? 1;

    /// <summary>Whether a row of the weight is changed.</summary>
    public bool Has(int row) => row >= FirstRow && row < EndRow;

    /// <summary>The target's row that belongs to a row of the weight.</summary>
    public int TargetRow(int row) => IsWhole ? row : (int)(row + Slice.FirstRow - Change.Target.FirstRow);
}
