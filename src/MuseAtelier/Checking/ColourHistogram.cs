namespace MuseAtelier.Checking;

/// <summary>How often each level of each channel occurs in a picture: what remains of its colours when places are forgotten.</summary>
internal static class ColourHistogram
{
    /// <summary>Bins of a channel: four neighbouring levels fall into one.</summary>
    public const int Bins = 64;

    private const int Channels = 3, Levels = 256;

    /// <summary>
    /// How far two pictures' histograms are apart: the sum of absolute differences of the bins' shares, halved, which is the share of pixels that lie in
    /// another bin; the mean of the three channels. 0 means equal, 1 that no bin is shared.
    /// </summary>
    /// <param name="first">[h, w, 3] interleaved.</param>
    /// <param name="second">The same of another picture of that size.</param>
    public static double Difference(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(first.Length, second.Length);
        Span<int> surplus = stackalloc int[Channels * Bins];
        surplus.Clear();
        for (int i = 0; i < first.Length; i++)
        {
            int channel = i % Channels * Bins;
            surplus[channel + first[i] * Bins / Levels]++;
            surplus[channel + second[i] * Bins / Levels]--;
        }

        long apart = 0;
        foreach (int count in surplus) apart += Math.Abs(count);
        // Each channel has a third of the values, so that their mean is the sum over all values.
        return first.Length == 0 ? 0 : apart / 2.0 / first.Length;
    }
}
