using System.Globalization;

namespace MuseAtelier.Sampling;

/// <summary>A node of a Brownian tree: an interval of noise levels, which its children halve.</summary>
/// <param name="Start">The lower end, rounded to the tree's grid.</param>
/// <param name="End">The upper end, rounded to the tree's grid.</param>
/// <param name="Key">The index among the nodes of its depth, from 0.</param>
/// <param name="Depth">The depth, 0 for the root.</param>
internal readonly record struct BrownianNode(double Start, double End, ulong Key, int Depth)
{
    private const double Grid = 1e6;

    /// <summary>The largest noise level of a tree: up to it the grid's points are whole numbers that a double holds.</summary>
    public const float Most = 9e9f;

    /// <summary>The end that the children share.</summary>
    public double Middle => Round(0.5 * (End + Start));

    /// <summary>The child that covers the lower half.</summary>
    public BrownianNode Lower => new(Start, Middle, 2 * Key, Depth + 1);

    /// <summary>The child that covers the upper half.</summary>
    public BrownianNode Upper => new(Middle, End, 2 * Key + 1, Depth + 1);

    /// <summary>
    /// Rounds to 6 decimals as Python's <c>round</c> does: exactly on the binary value, ties to the even digit. torchsde does so because
    /// its trees have a tolerance of 1e-6 (brownian_interval.py, BrownianInterval).
    /// </summary>
    /// <param name="time">A finite number from 0 to <see cref="Most"/>.</param>
    public static double Round(double time)
    {
        if (!(time is >= 0 and <= Most))
        {
            throw new ArgumentOutOfRangeException(
                nameof(time), time, string.Create(CultureInfo.InvariantCulture, $"Brownian noise has noise levels from 0 to {Most:g}."));
        }

        // time = mantissa * 2^-shift, and the product with the grid has at most 73 bits.
        ulong bits = BitConverter.DoubleToUInt64Bits(time);
        int exponent = (int)(bits >> 52);
        ulong mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1UL << 52);
        int shift = 1075 - Math.Max(exponent, 1);
        UInt128 product = (UInt128)mantissa * (ulong)Grid;
        if (shift >= 127) return 0;
        UInt128 whole = product >> shift;
        UInt128 rest = product - (whole << shift);
        UInt128 half = UInt128.One << (shift - 1);
        if (rest > half || (rest == half && UInt128.IsOddInteger(whole))) whole++;
        return (double)(ulong)whole / Grid;
    }
}
