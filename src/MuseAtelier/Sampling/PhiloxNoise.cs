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

    private uint _draw;

    /// <inheritdoc/>
    public void Fill(Span<float> destination) => Fill(seed, _draw++, destination);

    /// <summary>The numbers of a draw of the generator with a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="draw">The number of draws before.</param>
    /// <param name="destination">Receives the numbers.</param>
    public static void Fill(ulong seed, uint draw, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            (uint first, uint second) = Bits(seed, draw, (uint)i);
            // Of the ways to round, double throughout came nearest to an H200's numbers.
            double u = (first + 0.5) * ToUnit;
            double angle = (second + 0.5) * ToTurn;
            destination[i] = (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Sin(angle));
        }
    }

    private static (uint First, uint Second) Bits(ulong seed, uint draw, uint index)
    {
        uint c0 = draw, c1 = 0, c2 = index, c3 = 0;
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong even = (ulong)c0 * 0xD2511F53, odd = (ulong)c2 * 0xCD9E8D57;
            (c0, c1, c2, c3) = ((uint)(odd >> 32) ^ c1 ^ k0, (uint)odd, (uint)(even >> 32) ^ c3 ^ k1, (uint)even);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        return (c0, c1);
    }
}
