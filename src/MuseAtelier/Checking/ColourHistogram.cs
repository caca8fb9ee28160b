namespace MuseAtelier.Checking;

/// <summary>Compares the colours of pictures without their places: counts how often each level of each channel occurs.</summary>
internal static class ColourHistogram
{
    /// <summary>Bins of a channel; each holds four neighbouring levels.</summary>
    public const int Bins = 64;

    private const int Channels = 3;
    private const int Levels = 256;

    /// <summary>
    /// Computes the difference of two pictures' histograms: half the sum of the absolute differences of the bins' shares, which is the
    /// share of pixels that lie in another bin; the mean of the three channels. 0 means equal, 1 means that no bin is shared.
    /// </summary>
    /// <param name="first">[h, w, 3] interleaved.</param>
    /// <param name="second">[h, w, 3] interleaved, another picture of that size.</param>
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
        // Each channel has a third of the values, so that the mean of the channels is the sum divided by the number of all values.
        return first.Length == 0 ? 0 : apart / 2.0 / first.Length;
    }
}
