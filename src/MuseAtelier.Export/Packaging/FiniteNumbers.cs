using System.Numerics;
using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>Searches stored numbers for NaNs and infinities, which have every bit of the exponent set.</summary>
internal static class FiniteNumbers
{
    /// <summary>Whether all numbers are finite.</summary>
    /// <param name="bytes">Little-endian numbers.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    public static bool Are(ReadOnlySpan<byte> bytes, ElementType type) => type switch
    {
        ElementType.F32 => !AnyHas(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F800000u),
        ElementType.F16 => !AnyHas<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7C00),
        ElementType.BF16 => !AnyHas<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), 0x7F80),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Only F32, F16 and BF16 hold fractions."),
    };

    /// <summary>Whether all numbers are finite.</summary>
    public static bool Are(ReadOnlySpan<float> values) => Are(MemoryMarshal.AsBytes(values), ElementType.F32);

    private static bool AnyHas<T>(ReadOnlySpan<T> codes, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var all = new Vector<T>(exponent);
        int i = 0;
        for (; i <= codes.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(codes[i..]) & all, all)) return true;
        }

        for (; i < codes.Length; i++)
        {
            if ((codes[i] & exponent) == exponent) return true;
        }

        return false;
    }
}
