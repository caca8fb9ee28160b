namespace MuseAtelier.Diffusion;

/// <summary>
/// The numbers of torch's CPU <c>randn</c> for a seed: MT19937, and Box-Muller over blocks of sixteen (aten/src/ATen/native/cpu/
/// DistributionTemplates.h, normal_fill).
/// </summary>
internal sealed class TorchCpuNoise(ulong seed) : INoiseSource
{
    private const int Block = 16;
    private readonly MersenneTwister _twister = new((uint)seed);
    private double _cached = double.NaN;

    public void Fill(Span<float> destination)
    {
        if (destination.Length < Block)
        {
            foreach (ref float value in destination) value = (float)NextNormal();
            return;
        }

        foreach (ref float value in destination) value = NextUniform();
        int whole = destination.Length / Block * Block;
        for (int i = 0; i < whole; i += Block) BoxMuller(destination.Slice(i, Block));
        if (whole == destination.Length) return;

        // The last sixteen are drawn anew, those that were ready among them.
        Span<float> last = destination[^Block..];
        foreach (ref float value in last) value = NextUniform();
        BoxMuller(last);
    }

    private static void BoxMuller(Span<float> block)
    {
        const int half = Block / 2;
        for (int i = 0; i < half; i++)
        {
            float radius = MathF.Sqrt(-2 * MathF.Log(1 - block[i])), angle = 2 * MathF.PI * block[i + half];
            block[i] = radius * MathF.Cos(angle);
            block[i + half] = radius * MathF.Sin(angle);
        }
    }

    private float NextUniform() => (_twister.Next() & 0xFFFFFF) * (1f / (1 << 24));

    private double NextUniformDouble()
    {
        ulong high = _twister.Next(), low = _twister.Next();
        return (((high << 32) | low) & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));
    }

    private double NextNormal()
    {
        if (!double.IsNaN(_cached))
        {
            double cached = _cached;
            _cached = double.NaN;
            return cached;
        }

        double u1 = NextUniformDouble(), u2 = NextUniformDouble();
        double radius = Math.Sqrt(-2 * LogOnePlus(-u2)), angle = 2 * Math.PI * u1;
        _cached = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    private static double LogOnePlus(double x)
    {
        double y = 1 + x;
        return y == 1 ? x : Math.Log(y) * x / (y - 1);
    }
}
