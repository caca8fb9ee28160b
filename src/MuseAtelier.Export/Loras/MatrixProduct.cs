using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Adds scale * (A x B) to rows of a matrix in fp32. Both factors are packed: A in groups of <see cref="RowGroup"/> rows, B in panels of
/// <see cref="Panel"/> columns, so that the innermost loop reads memory in order. Each element is a sum of fused products in the order of
/// the rank, whatever the processor's vectors are, so the numbers depend neither on the machine nor on the partition into blocks.
/// </summary>
internal static class MatrixProduct
{
    /// <summary>Rows that are computed together.</summary>
    public const int RowGroup = 8;

    /// <summary>Columns that are computed together.</summary>
    public const int Panel = 32;

    /// <summary>Number of elements of a packed factor A.</summary>
    public static int PackedRows(int rows, int rank) => checked(RowBlock.RoundUp(rows, RowGroup) * rank);

    /// <summary>Number of elements of a packed factor B.</summary>
    public static int PackedColumns(int columns, int rank) => checked(RowBlock.RoundUp(columns, Panel) * rank);

    /// <summary>Packs rows of A. Rows that are missing in the last group become 0.</summary>
    /// <param name="rows">The rows, [rows, rank].</param>
    /// <param name="rank">Number of columns of A.</param>
    /// <param name="packed">Receives [groups, rank, <see cref="RowGroup"/>].</param>
    public static void PackRows(ReadOnlySpan<float> rows, int rank, Span<float> packed)
    {
        int count = rows.Length / rank;
        packed.Clear();
        for (int row = 0; row < count; row++)
        {
            Span<float> group = packed[(row / RowGroup * RowGroup * rank)..];
            int lane = row % RowGroup;
            for (int k = 0; k < rank; k++) group[k * RowGroup + lane] = rows[row * rank + k];
        }
    }

    /// <summary>Packs a row of B. Columns that are missing in the last panel become 0.</summary>
    /// <param name="row">The row.</param>
    /// <param name="index">Its index.</param>
    /// <param name="rank">Number of rows of B.</param>
    /// <param name="packed">Receives [panels, rank, <see cref="Panel"/>].</param>
    public static void PackRowOfColumns(ReadOnlySpan<float> row, int index, int rank, Span<float> packed)
    {
        for (int column = 0; column < row.Length; column += Panel)
        {
            Span<float> target = packed.Slice((column * rank) + index * Panel, Panel);
            ReadOnlySpan<float> source = row.Slice(column, Math.Min(Panel, row.Length - column));
            source.CopyTo(target);
            target[source.Length..].Clear();
        }
    }

    /// <summary>Adds a product to a block.</summary>
    /// <param name="block">The block. Its padding receives numbers without meaning.</param>
    /// <param name="left">Packed rows of A, as many as the block has.</param>
    /// <param name="right">Packed B, with as many columns as the block.</param>
    /// <param name="rank">Number of columns of A and rows of B.</param>
    /// <param name="scale">The factor of the product.</param>
    public static void Add(RowBlock block, ReadOnlySpan<float> left, ReadOnlySpan<float> right, int rank, float scale)
    {
        int groups = (block.Rows + RowGroup - 1) / RowGroup;
        ref float values = ref MemoryMarshal.GetArrayDataReference(block.Values);
        ref float a = ref MemoryMarshal.GetReference(left[..(groups * rank * RowGroup)]);
        ref float b = ref MemoryMarshal.GetReference(right[..(block.Stride * rank)]);
        for (int column = 0; column < block.Stride; column += Panel)
        {
            ref float panel = ref Unsafe.Add(ref b, (nint)column * rank);
            for (int group = 0; group < groups; group++)
            {
                ref float rows = ref Unsafe.Add(ref a, (nint)group * rank * RowGroup);
                ref float target = ref Unsafe.Add(ref values, (nint)group * RowGroup * block.Stride + column);
                if (Vector512.IsHardwareAccelerated) Tile512(ref target, block.Stride, ref rows, ref panel, rank, scale);
                else Tile256(ref target, block.Stride, ref rows, ref panel, rank, scale);
            }
        }
    }

    // 8 rows of 32 columns in 16 registers of 16 numbers.
    private static void Tile512(ref float target, int stride, ref float a, ref float b, int rank, float scale)
    {
        Vector512<float> r00 = default, r01 = default, r10 = default, r11 = default, r20 = default, r21 = default, r30 = default;
        Vector512<float> r31 = default, r40 = default, r41 = default, r50 = default, r51 = default, r60 = default, r61 = default;
        Vector512<float> r70 = default, r71 = default;
        for (int k = 0; k < rank; k++)
        {
            Vector512<float> b0 = Vector512.LoadUnsafe(ref b), b1 = Vector512.LoadUnsafe(ref b, 16);
            Fuse(a, b0, b1, ref r00, ref r01);
            Fuse(Unsafe.Add(ref a, 1), b0, b1, ref r10, ref r11);
            Fuse(Unsafe.Add(ref a, 2), b0, b1, ref r20, ref r21);
            Fuse(Unsafe.Add(ref a, 3), b0, b1, ref r30, ref r31);
            Fuse(Unsafe.Add(ref a, 4), b0, b1, ref r40, ref r41);
            Fuse(Unsafe.Add(ref a, 5), b0, b1, ref r50, ref r51);
            Fuse(Unsafe.Add(ref a, 6), b0, b1, ref r60, ref r61);
            Fuse(Unsafe.Add(ref a, 7), b0, b1, ref r70, ref r71);
            a = ref Unsafe.Add(ref a, RowGroup);
            b = ref Unsafe.Add(ref b, Panel);
        }

        Vector512<float> factor = Vector512.Create(scale);
        Store(ref target, r00, r01, factor);
        Store(ref Unsafe.Add(ref target, stride), r10, r11, factor);
        Store(ref Unsafe.Add(ref target, 2 * stride), r20, r21, factor);
        Store(ref Unsafe.Add(ref target, 3 * stride), r30, r31, factor);
        Store(ref Unsafe.Add(ref target, 4 * stride), r40, r41, factor);
        Store(ref Unsafe.Add(ref target, 5 * stride), r50, r51, factor);
        Store(ref Unsafe.Add(ref target, 6 * stride), r60, r61, factor);
        Store(ref Unsafe.Add(ref target, 7 * stride), r70, r71, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fuse(
        float a, Vector512<float> b0, Vector512<float> b1, ref Vector512<float> r0, ref Vector512<float> r1)
    {
        Vector512<float> factor = Vector512.Create(a);
        r0 = Vector512.FusedMultiplyAdd(factor, b0, r0);
        r1 = Vector512.FusedMultiplyAdd(factor, b1, r1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ref float target, Vector512<float> r0, Vector512<float> r1, Vector512<float> factor)
    {
        Vector512.FusedMultiplyAdd(r0, factor, Vector512.LoadUnsafe(ref target)).StoreUnsafe(ref target);
        Vector512.FusedMultiplyAdd(r1, factor, Vector512.LoadUnsafe(ref target, 16)).StoreUnsafe(ref target, 16);
    }

    // The same tile as four of 4 rows of 16 columns, each in 8 registers of 8 numbers.
    private static void Tile256(ref float target, int stride, ref float a, ref float b, int rank, float scale)
    {
        for (int row = 0; row < RowGroup; row += 4)
        {
            for (int column = 0; column < Panel; column += 16)
            {
                ref float corner = ref Unsafe.Add(ref target, row * stride + column);
                Quarter256(ref corner, stride, ref Unsafe.Add(ref a, row), ref Unsafe.Add(ref b, column), rank, scale);
            }
        }
    }

    private static void Quarter256(ref float target, int stride, ref float a, ref float b, int rank, float scale)
    {
        Vector256<float> r00 = default, r01 = default, r10 = default, r11 = default;
        Vector256<float> r20 = default, r21 = default, r30 = default, r31 = default;
        for (int k = 0; k < rank; k++)
        {
            Vector256<float> b0 = Vector256.LoadUnsafe(ref b), b1 = Vector256.LoadUnsafe(ref b, 8);
            Fuse(a, b0, b1, ref r00, ref r01);
            Fuse(Unsafe.Add(ref a, 1), b0, b1, ref r10, ref r11);
            Fuse(Unsafe.Add(ref a, 2), b0, b1, ref r20, ref r21);
            Fuse(Unsafe.Add(ref a, 3), b0, b1, ref r30, ref r31);
            a = ref Unsafe.Add(ref a, RowGroup);
            b = ref Unsafe.Add(ref b, Panel);
        }

        Vector256<float> factor = Vector256.Create(scale);
        Store(ref target, r00, r01, factor);
        Store(ref Unsafe.Add(ref target, stride), r10, r11, factor);
        Store(ref Unsafe.Add(ref target, 2 * stride), r20, r21, factor);
        Store(ref Unsafe.Add(ref target, 3 * stride), r30, r31, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fuse(
        float a, Vector256<float> b0, Vector256<float> b1, ref Vector256<float> r0, ref Vector256<float> r1)
    {
        Vector256<float> factor = Vector256.Create(a);
        r0 = Vector256.FusedMultiplyAdd(factor, b0, r0);
        r1 = Vector256.FusedMultiplyAdd(factor, b1, r1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ref float target, Vector256<float> r0, Vector256<float> r1, Vector256<float> factor)
    {
        Vector256.FusedMultiplyAdd(r0, factor, Vector256.LoadUnsafe(ref target)).StoreUnsafe(ref target);
        Vector256.FusedMultiplyAdd(r1, factor, Vector256.LoadUnsafe(ref target, 8)).StoreUnsafe(ref target, 8);
    }
}
