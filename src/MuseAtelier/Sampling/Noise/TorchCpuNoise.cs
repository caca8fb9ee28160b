using System.Runtime.Intrinsics;

namespace MuseAtelier.Sampling;

/// <summary>
/// PyTorch's <c>randn</c> on the CPU (aten/src/ATen/native/cpu/DistributionTemplates.h, normal_fill), bit for bit as its
/// AVX2 build computes it. Only exactly rounded operations are used, fused where that build fuses, so every machine agrees.
/// </summary>
internal sealed class TorchCpuNoise : INoiseGenerator
{
    private const int Block = 16;

    private readonly uint[] _state = new uint[MersenneTwister.Words];
    private int _next = MersenneTwister.Words;
    private double? _second;

    /// <param name="seed">Only its low 32 bits count, as in PyTorch.</param>
    public TorchCpuNoise(ulong seed) => MersenneTwister.Seed((uint)seed, _state);

    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        var bits = new MersenneTwister(_state, _next);
        Fill(ref bits, ref _second, destination);
        _next = bits.Position;
    }

    /// <summary>The first numbers that a generator with a seed gives; allocates nothing.</summary>
    public static void Fill(uint seed, Span<float> destination)
    {
        Span<uint> state = stackalloc uint[MersenneTwister.Words];
        MersenneTwister.Seed(seed, state);
        var bits = new MersenneTwister(state, MersenneTwister.Words);
        double? second = null;
        Fill(ref bits, ref second, destination);
    }

    private static void Fill(ref MersenneTwister bits, ref double? second, Span<float> destination)
    {
        if (destination.Length < Block)
        {
            foreach (ref float value in destination)
                value = (float)NextDouble(ref bits, ref second);
            return;
        }

        bits.Fill(destination);
        int whole = destination.Length / Block * Block;
        for (int i = 0; i < whole; i += Block)
            Transform(destination.Slice(i, Block));
        if (whole < destination.Length)
        {
            // The last block is drawn again as a whole, over numbers that are already there.
            Span<float> last = destination[^Block..];
            bits.Fill(last);
            Transform(last);
        }
    }

    private static void Transform(Span<float> block)
    {
        Vector256<float> u1 = Vector256<float>.One - Vector256.Create<float>(block);
        Vector256<float> u2 = Vector256.Create<float>(block[8..]);
        Vector256<float> radius = Vector256.Sqrt(Vector256.Create(-2f) * CephesMath.Log(u1));
        (Vector256<float> sin, Vector256<float> cos) = CephesMath.SinCos(Vector256.Create(2 * MathF.PI) * u2);
        (radius * cos).CopyTo(block);
        (radius * sin).CopyTo(block[8..]);
    }

    // Short tensors take another path: Box and Muller's in double precision, whose second value waits for the next number.
    private static double NextDouble(ref MersenneTwister bits, ref double? second)
    {
        if (second is double waiting)
        {
            second = null;
            return waiting;
        }

        double turn = NextUniform(ref bits), u = NextUniform(ref bits);
        // PyTorch writes log1p(-u); 1 - u is exact, as u is a multiple of 2^-53.
        double radius = Math.Sqrt(-2 * Math.Log(1 - u));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * turn);
        second = radius * sin;
        return radius * cos;
    }

    private static double NextUniform(ref MersenneTwister bits)
    {
        ulong high = bits.Next();
        return (((high << 32) | bits.Next()) & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));
    }
}
