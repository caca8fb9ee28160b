using System.Runtime.Intrinsics;

namespace MuseAtelier.Sampling;

/// <summary>
/// Logarithm, sine and cosine by the single-precision polynomials of Moshier's Cephes library (logf.c, sinf.c), in the
/// order in which PyTorch's AVX2 build evaluates them. They differ from the runtime's functions in the last bits, and
/// noise must not. That build fuses a product and the sum that it feeds; this code fuses the same operations.
/// </summary>
internal static class CephesMath
{
    /// <summary>Natural logarithm of positive normal numbers up to 1.</summary>
    public static Vector256<float> Log(Vector256<float> x)
    {
        // x = mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)), then less 1.
        Vector256<int> bits = x.AsInt32();
        Vector256<float> exponent = Vector256.ConvertToSingle((bits >>> 23) - Vector256.Create(126));
        Vector256<float> mantissa = ((bits & Vector256.Create(0x007FFFFF)) | Vector256.Create(0x3F000000)).AsSingle();
        Vector256<float> isLow = Vector256.LessThan(mantissa, Vector256.Create(0.707106781186547524f));
        exponent -= isLow & Vector256<float>.One;
        Vector256<float> m = mantissa - Vector256<float>.One + (mantissa & isLow);

        Vector256<float> square = m * m;
        Vector256<float> y = Vector256.Create(7.0376836292e-2f);
        y = Fused(y, m, -1.1514610310e-1f);
        y = Fused(y, m, 1.1676998740e-1f);
        y = Fused(y, m, -1.2420140846e-1f);
        y = Fused(y, m, 1.4249322787e-1f);
        y = Fused(y, m, -1.6668057665e-1f);
        y = Fused(y, m, 2.0000714765e-1f);
        y = Fused(y, m, -2.4999993993e-1f);
        y = Fused(y, m, 3.3333331174e-1f);
        y = Vector256.FusedMultiplyAdd(y * m, square, exponent * Vector256.Create(-2.12194440e-4f));
        y = Vector256.FusedMultiplyAdd(square, Vector256.Create(-0.5f), y);
        return Vector256.FusedMultiplyAdd(exponent, Vector256.Create(0.693359375f), m + y);
    }

    /// <summary>Sine and cosine of angles from 0 up to 2 pi.</summary>
    public static (Vector256<float> Sin, Vector256<float> Cos) SinCos(Vector256<float> angle)
    {
        // The nearest even number of eighths of a turn, taken off in three parts to keep the remainder's low bits.
        Vector256<int> eighths = Vector256.ConvertToInt32(angle * Vector256.Create(1.27323954473516f));
        eighths = (eighths + Vector256<int>.One) & Vector256.Create(~1);
        Vector256<float> count = Vector256.ConvertToSingle(eighths);
        Vector256<float> x = Vector256.FusedMultiplyAdd(count, Vector256.Create(-0.78515625f), angle);
        x = Vector256.FusedMultiplyAdd(count, Vector256.Create(-2.4187564849853515625e-4f), x);
        x = Vector256.FusedMultiplyAdd(count, Vector256.Create(-3.77489497744594108e-8f), x);

        Vector256<float> square = x * x;
        Vector256<float> cos = Fused(Vector256.Create(2.443315711809948e-5f), square, -1.388731625493765e-3f);
        cos = Fused(cos, square, 4.166664568298827e-2f) * square;
        cos = Vector256.FusedMultiplyAdd(cos, square, -(square * Vector256.Create(0.5f))) + Vector256<float>.One;
        Vector256<float> sin = Fused(Vector256.Create(-1.9515295891e-4f), square, 8.3321608736e-3f);
        sin = Fused(sin, square, -1.6666654611e-1f) * square;
        sin = Vector256.FusedMultiplyAdd(sin, x, x);

        // Odd quarters swap the two; signs follow the half turns: bit 2 of the count becomes the sign bit.
        Vector256<float> isEven = Vector256.Equals(eighths & Vector256.Create(2), Vector256<int>.Zero).AsSingle();
        Vector256<int> half = Vector256.Create(4);
        Vector256<float> sinSign = ((eighths & half) << 29).AsSingle();
        Vector256<float> cosSign = (Vector256.AndNot(half, eighths - Vector256.Create(2)) << 29).AsSingle();
        return (Vector256.ConditionalSelect(isEven, sin, cos) ^ sinSign, Vector256.ConditionalSelect(isEven, cos, sin) ^ cosSign);
    }

    private static Vector256<float> Fused(Vector256<float> x, Vector256<float> y, float z) =>
        Vector256.FusedMultiplyAdd(x, y, Vector256.Create(z));
}
