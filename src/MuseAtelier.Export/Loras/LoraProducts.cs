using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The changes of a weight where each adds the product of two factors, as LoRA itself does. A device can make them from the factors: if it
/// sums over the rank in its order by fused operations, it gets the same bits as <see cref="LoraMerge"/>.
/// </summary>
internal sealed class LoraProducts
{
    private LoraProducts(WeightSpec weight, WeightRows shape, IReadOnlyList<LoraProduct> products)
    {
        (Weight, Rows, Columns, Products) = (weight, shape.Rows, shape.Columns, products);
        TotalRank = products.Sum(product => (long)product.Rank);
        Limit = LoraMerge.LimitOf(weight.Type);
    }

    /// <summary>The weight.</summary>
    public WeightSpec Weight { get; }

    /// <summary>Number of rows of the weight.</summary>
    public int Rows { get; }

    /// <summary>Number of columns of the weight: elements that are stored one after the other.</summary>
    public int Columns { get; }

    /// <summary>The products, in the order in which they are added.</summary>
    public IReadOnlyList<LoraProduct> Products { get; }

    /// <summary>The sum of all ranks.</summary>
    public long TotalRank { get; }

    /// <summary>The largest magnitude that the changed weight may have.</summary>
    public float Limit { get; }

    /// <summary>The products of a weight; null if a change is none, or if the weight is stored transposed. Reads no factors.</summary>
    /// <param name="weight">The weight, in fp16 or fp32.</param>
    /// <param name="changes">Its changes, in the order in which they are made.</param>
    public static LoraProducts? Of(WeightSpec weight, IReadOnlyList<SliceChange> changes)
    {
        if (weight.Type is not (ElementType.F16 or ElementType.F32) || weight.Layout == WeightLayout.Transposed) return null;
        using var shape = new WeightRows(weight, isTransposedTarget: false);
        var products = new List<LoraProduct>(changes.Count);
        foreach (SliceChange change in changes)
        {
            if (change.Change.Target.IsTransposed || change.Change.Product is not var (matrix, factor)) return null;
            int end = Math.Min(change.EndRow, shape.Rows);
            products.Add(new LoraProduct
            {
                FirstRow = change.FirstRow,
                EndRow = end,
                FirstLeftRow = change.TargetRow(change.FirstRow),
                Matrix = matrix,
                Plane = shape.Plane,
                Factor = (float)(factor * change.Scale),
            });
        }

        return new LoraProducts(weight, shape, products);
    }
}

/// <summary>factor * left x right, which is added to rows of a weight.</summary>
internal sealed class LoraProduct
{
    /// <summary>The first row of the weight.</summary>
    public required int FirstRow { get; init; }

    /// <summary>The first row of the weight that is not changed any more.</summary>
    public required int EndRow { get; init; }

    /// <summary>The left factor's row that belongs to <see cref="FirstRow"/>.</summary>
    public required int FirstLeftRow { get; init; }

    /// <summary>The product.</summary>
    public required ProductMatrix Matrix { get; init; }

    /// <summary>Elements of a convolution's kernel, which the weight stores before its input channels; 1 for other weights.</summary>
    public required int Plane { get; init; }

    /// <summary>The factor: strength * alpha / rank, and the factor by which the package multiplies the checkpoint's values.</summary>
    public required float Factor { get; init; }

    /// <summary>Columns of the left factor and rows of the right one.</summary>
    public int Rank => Matrix.Left.Rank;

    /// <summary>Reads rows of the left factor.</summary>
    /// <param name="first">The weight's row that belongs to the first one.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="rows">Receives [count, rank].</param>
    /// <exception cref="LoraValueException">A number is not finite.</exception>
    public void ReadLeft(int first, int count, Span<float> rows) =>
        Matrix.Left.Read(first - FirstRow + FirstLeftRow, count, rows);

    /// <summary>Reads the right factor.</summary>
    /// <param name="columns">Receives [rank, columns], in the order in which the weight stores its columns.</param>
    /// <exception cref="LoraValueException">A number is not finite.</exception>
    public void ReadRight(Span<float> columns)
    {
        LoraMatrix right = Matrix.Right;
        using LoraMatrixReader reader = right.Open();
        using RowBlock block = RowBlock.For(right.Rows, right.Columns);
        for (int first = 0; first < right.Rows; first += block.MostRows)
        {
            block.Rows = Math.Min(block.MostRows, right.Rows - first);
            block.Clear();
            reader.Add(first, block, 1);
            for (int i = 0; i < block.Rows; i++) Store(block.Row(i), columns.Slice((first + i) * right.Columns, right.Columns));
        }
    }

    // [in, plane] to [plane, in].
    private void Store(ReadOnlySpan<float> row, Span<float> stored)
    {
        if (Plane == 1)
        {
            row.CopyTo(stored);
            return;
        }

        int inputs = row.Length / Plane;
        for (int p = 0; p < Plane; p++)
            for (int j = 0; j < inputs; j++) stored[p * inputs + j] = row[j * Plane + p];
    }
}
