namespace MuseAtelier.Sampling;

/// <summary>The beta distribution with both parameters 0.6, which the beta schedule is made of (scipy.stats.beta).</summary>
internal static class BetaDistribution
{
    private const double Shape = 0.6;

    private static readonly double HalfIntegral = Integral(0.5);

    /// <summary>The value below which a share of the distribution lies.</summary>
    /// <param name="share">0 to 1.</param>
    /// <returns>0 to 1.</returns>
    public static double Quantile(double share)
    {
        // The distribution is symmetric about 1/2, which must be exact because its timestep, 499.5, is rounded.
        if (share == 0.5) return 0.5;
        if (share > 0.5) return 1 - Quantile(1 - share);
        double low = 0, high = 0.5;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (Integral(middle) < 2 * share * HalfIntegral) low = middle;
            else high = middle;
        }

        return share == 0 ? 0 : (low + high) / 2;
    }

    // The incomplete beta function up to x, from 0 to 1/2, by its power series: the sum of
    // (1 - b)(2 - b)...(n - b) / n! x^(a + n) / (a + n).
    private static double Integral(double x)
    {
        double factor = Math.Pow(x, Shape), sum = 0;
        for (int n = 0; n < 60; n++)
        {
            sum += factor / (Shape + n);
            factor *= x * (n + 1 - Shape) / (n + 1);
        }

        return sum;
    }
}
