using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MuseAtelier.Sampling;

/// <summary>
/// CUDA's <c>randn</c>: Philox4x32-10 (Salmon et al., 2011) and Box and Muller's transform, one counter a number, as
/// AUTOMATIC1111's "NV" source imitates it (modules/rng_philox.py).
/// </summary>
/// <remarks>
/// The bits are CUDA's own. CUDA's sine is an approximation that only the device reproduces, so a sixth of the
/// numbers are equal to an H200's to the last bit, and all of those compared lie within 8e-7.
/// </remarks>
internal sealed class PhiloxNoise(ulong seed) : INoiseGenerator
{
    private const double ToUnit = 1.0 / 4294967296, ToTurn = ToUnit * (2 * Math.PI);
    private const int Rounds = 10;
    private const uint EvenFactor = 0xD2511F53, OddFactor = 0xCD9E8D57, FirstKeyStep = 0x9E3779B9, SecondKeyStep = 0xBB67AE85;

    // The bits of a double that a float does not keep, and the distance from a half of them within which four numbers are computed one by
    // one. It is some thousand times the error of the vectors' logarithm and sine.
    private const ulong Lost = (1UL << 29) - 1, Half = 1UL << 28, Margin = 1UL << 12;

    private uint _draw;

    /// <inheritdoc/>
    public void Fill(Span<float> destination) => Fill(seed, _draw++, destination);

    /// <summary>The numbers of a draw of the generator with a seed; allocates nothing.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="draw">The number of draws before.</param>
    /// <param name="destination">Receives the numbers.</param>
    public static void Fill(ulong seed, uint draw, Span<float> destination)
    {
        int first = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; first + Vector256<ulong>.Count <= destination.Length; first += Vector256<ulong>.Count)
                FillVector(seed, draw, (uint)first, destination.Slice(first, Vector256<ulong>.Count));
        }

        FillScalar(seed, draw, (uint)first, destination[first..]);
    }

    /// <summary>The same, one number after the other; the definition of the numbers.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="draw">The number of draws before.</param>
    /// <param name="first">Index of the first number in the draw.</param>
    /// <param name="destination">Receives the numbers.</param>
    public static void FillScalar(ulong seed, uint draw, uint first, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            (uint ofRadius, uint ofAngle) = Bits(seed, draw, first + (uint)i);
            // Of the ways to round, double throughout came nearest to an H200's numbers.
            double u = (ofRadius + 0.5) * ToUnit;
            double angle = (ofAngle + 0.5) * ToTurn;
            destination[i] = (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Sin(angle));
        }
    }

    // Four numbers. The logarithm and the sine may differ from the scalar ones in the last bits of a double. Those bits decide the float
    // only where the double lies near the middle of two floats, and there the scalar ones are used.
    private static void FillVector(ulong seed, uint draw, uint first, Span<float> destination)
    {
        var index = Vector256.Create(first, first + 1UL, first + 2UL, first + 3UL);
        (Vector256<ulong> ofRadius, Vector256<ulong> ofAngle) = Bits(seed, draw, index);
        Vector256<double> u = (ToDouble(ofRadius) + Vector256.Create(0.5)) * Vector256.Create(ToUnit);
        Vector256<double> angle = (ToDouble(ofAngle) + Vector256.Create(0.5)) * Vector256.Create(ToTurn);
        Vector256<double> normal = Vector256.Sqrt(Vector256.Create(-2.0) * Vector256.Log(u)) * Vector256.Sin(angle);
        Vector256<ulong> fromHalf = (normal.AsUInt64() & Vector256.Create(Lost)) - Vector256.Create(Half - Margin);
        if (Vector256.LessThanAny(fromHalf, Vector256.Create(2 * Margin + 1))) FillScalar(seed, draw, first, destination);
        else Vector128.Narrow(normal.GetLower(), normal.GetUpper()).CopyTo(destination);
    }

    private static (uint First, uint Second) Bits(ulong seed, uint draw, uint index)
    {
        uint c0 = draw, c1 = 0, c2 = index, c3 = 0;
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong even = (ulong)c0 * EvenFactor, odd = (ulong)c2 * OddFactor;
            c0 = (uint)(odd >> 32) ^ c1 ^ k0;
            c1 = (uint)odd;
            c2 = (uint)(even >> 32) ^ c3 ^ k1;
            c3 = (uint)even;
            k0 += FirstKeyStep;
            k1 += SecondKeyStep;
        }

        return (c0, c1);
    }

    // The same for four indices below 2^32; each lane holds a word of 32 bits.
    private static (Vector256<ulong> First, Vector256<ulong> Second) Bits(ulong seed, uint draw, Vector256<ulong> index)
    {
        Vector256<ulong> word = Vector256.Create((ulong)uint.MaxValue);
        Vector256<ulong> c0 = Vector256.Create((ulong)draw), c1 = Vector256<ulong>.Zero, c2 = index, c3 = Vector256<ulong>.Zero;
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<ulong> even = Multiply(c0, EvenFactor), odd = Multiply(c2, OddFactor);
            c0 = (odd >>> 32) ^ c1 ^ Vector256.Create((ulong)k0);
            c1 = odd & word;
            c2 = (even >>> 32) ^ c3 ^ Vector256.Create((ulong)k1);
            c3 = even & word;
            k0 += FirstKeyStep;
            k1 += SecondKeyStep;
        }

        return (c0, c1);
    }

    private static Vector256<ulong> Multiply(Vector256<ulong> words, uint factor)
    {
        Vector256<ulong> factors = Vector256.Create((ulong)factor);
        return Avx2.IsSupported ? Avx2.Multiply(words.AsUInt32(), factors.AsUInt32()) : words * factors;
    }

    // A word below the mantissa of 2^52 is the sum of both.
    private static Vector256<double> ToDouble(Vector256<ulong> words) =>
        (words | Vector256.Create(0x4330000000000000UL)).AsDouble() - Vector256.Create(4503599627370496.0);
}
