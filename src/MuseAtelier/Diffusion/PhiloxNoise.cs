namespace MuseAtelier.Diffusion;

/// <summary>
/// CUDA's <c>randn</c>: Philox4x32-10 (Salmon et al., 2011) and Box and Muller's transform, one counter a number, as
/// AUTOMATIC1111's "NV" source computes it (modules/rng_philox.py).
/// </summary>
/// <remarks>
/// The bits are CUDA's own. Its sine is the device's approximation, which nothing but the device reproduces: the numbers
/// agree with a card's within 1e-6 and are the same on every machine.
/// </remarks>
internal sealed class PhiloxNoise(ulong seed) : INoiseSource
{
    private const float ToUnit = 1f / 4294967296f, ToTurn = ToUnit * (2 * MathF.PI);

    private uint _draw;

    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            (uint first, uint second) = Bits(_draw, (uint)i);
            // Double here keeps u above 0 and off 1; single would round the largest draws to 1 and lose the tail.
            double u = first * (double)ToUnit + ToUnit / 2;
            double turn = second * (double)ToTurn + ToTurn / 2;
            destination[i] = (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Sin(turn));
        }

        _draw++;
    }

    private (uint First, uint Second) Bits(uint draw, uint index)
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
