using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Converts finite numbers between fp16 and fp32, several times as fast as the conversions of the runtime, which also treat infinities and
/// NaNs. (Method: F. Giesen, "Half to float done quick" and float_to_half_fast3_rtne, public domain.)
/// </summary>
internal static class HalfConversion
{
    private const uint Sign = 0x8000_0000;
    private const uint HalfSign = 0x8000;

    // The difference of the exponents' biases, 127 - 15, in the place of binary32's exponent.
    private const uint Bias = 112u << 23;
    private const uint LeastNormal = 113u << 23;

    // Adding 0.5 moves the mantissa of a subnormal half to the lowest bits, rounded half to even.
    private const uint OneHalf = 126u << 23;

    /// <summary>Converts halves to singles. The conversion is exact.</summary>
    /// <param name="source">Finite numbers.</param>
    /// <param name="target">Receives the numbers.</param>
    public static void Widen(ReadOnlySpan<Half> source, Span<float> target)
    {
        ref ushort from = ref Unsafe.As<Half, ushort>(ref MemoryMarshal.GetReference(source));
        ref float to = ref MemoryMarshal.GetReference(target[..source.Length]);
        int i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            (Vector512<uint> lower, Vector512<uint> upper) = Vector512.Widen(Vector512.LoadUnsafe(ref from, (nuint)i));
            Widen(lower).StoreUnsafe(ref to, (nuint)i);
            Widen(upper).StoreUnsafe(ref to, (nuint)(i + Vector512<float>.Count));
        }

        for (; i < source.Length; i++) target[i] = (float)source[i];
    }

    /// <summary>Converts singles to halves, rounded half to even.</summary>
    /// <param name="source">Numbers whose magnitude is at most 65,504.</param>
    /// <param name="target">Receives the numbers.</param>
    public static void Narrow(ReadOnlySpan<float> source, Span<Half> target)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        ref ushort to = ref Unsafe.As<Half, ushort>(
            ref MemoryMarshal.GetReference(target[..source.Length]));
        int i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            Vector512<uint> lower = Narrow(Vector512.LoadUnsafe(ref from, (nuint)i).AsUInt32());
            Vector512<uint> upper = Narrow(Vector512.LoadUnsafe(ref from, (nuint)(i + Vector512<float>.Count)).AsUInt32());
            Vector512.Narrow(lower, upper).StoreUnsafe(ref to, (nuint)i);
        }

        for (; i < source.Length; i++) target[i] = (Half)source[i];
    }

    private static Vector512<float> Widen(Vector512<uint> codes)
    {
        Vector512<uint> sign = (codes & Vector512.Create(HalfSign)) << 16;
        Vector512<uint> magnitude = (codes ^ (sign >> 16)) << 13;
        Vector512<uint> normal = magnitude + Vector512.Create(Bias);
        Vector512<float> least = Vector512.Create(LeastNormal).AsSingle();
        Vector512<uint> subnormal = ((magnitude + Vector512.Create(LeastNormal)).AsSingle() - least).AsUInt32();
        Vector512<uint> isSubnormal = Vector512.LessThan(magnitude, Vector512.Create(1u << 23));
        return (Vector512.ConditionalSelect(isSubnormal, subnormal, normal) | sign).AsSingle();
    }

    private static Vector512<uint> Narrow(Vector512<uint> bits)
    {
        Vector512<uint> sign = bits & Vector512.Create(Sign);
        Vector512<uint> magnitude = bits ^ sign;
        Vector512<uint> magic = Vector512.Create(OneHalf);
        Vector512<uint> subnormal = (magnitude.AsSingle() + magic.AsSingle()).AsUInt32() - magic;
        Vector512<uint> odd = (magnitude >> 13) & Vector512<uint>.One;
        Vector512<uint> normal = (magnitude - Vector512.Create(Bias - 0xFFF) + odd) >> 13;
        Vector512<uint> isSubnormal = Vector512.LessThan(magnitude, Vector512.Create(LeastNormal));
        return Vector512.ConditionalSelect(isSubnormal, subnormal, normal) | (sign >> 16);
    }
}
