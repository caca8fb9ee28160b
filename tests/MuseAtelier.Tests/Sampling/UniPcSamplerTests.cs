using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>UniPC against its formulas in double precision, with latents of variance 1 as in the paper.</summary>
public sealed class UniPcSamplerTests
{
    public static TheoryData<bool, SamplingDialect, int> Runs
    {
        get
        {
            var runs = new TheoryData<bool, SamplingDialect, int>();
            foreach (bool isBh2 in (bool[])[false, true])
                foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>())
                    foreach (int steps in (int[])[1, 2, 3, 5, 12, 30]) runs.Add(isBh2, dialect, steps);
            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Advance_OfAllSteps_FollowsTheFormulas(bool isBh2, SamplingDialect dialect, int steps)
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.Linspace, Karras = true }, steps);
        float[] start = [.. MadeUpModel.Draw(1, 64).Select(value => value * schedule.Sigmas[0])];
        float[] result = MadeUpModel.Run(new UniPcSampler(schedule, isBh2, dialect), start);
        bool isDiffusers = dialect == SamplingDialect.Diffusers;
        double[] sigmas = [.. schedule.Sigmas.ToArray().Select(sigma => (double)sigma)];
        if (!isDiffusers) sigmas[^1] = 0.001f;
        double[] expected = [.. start.Select(value => Solve(value, sigmas, isDiffusers ? 2 : 3, isBh2))];
        double error = MadeUpModel.RelativeError(expected, result);
        Assert.True(error <= 1e-6, $"relative error {error}");
    }

    // One number's way, as multistep_uni_pc_bh_update computes it for a model that predicts the denoised latents.
    private static double Solve(double start, double[] sigmas, int mostOrder, bool isBh2)
    {
        int steps = sigmas.Length - 1;
        double x = start * Alpha(sigmas[0]);
        List<double> denoised = [MadeUpModel.Denoise(start, sigmas[0])];
        for (int step = 0; step < steps; step++)
        {
            int order = Math.Min(Math.Min(mostOrder, step + 1), steps - step);
            if (sigmas[step + 1] == 0) return denoised[step];
            double predicted = Update(x, denoised, sigmas, step, order, isBh2, null);
            if (step == steps - 1) return predicted / Alpha(sigmas[^1]);
            denoised.Add(MadeUpModel.Denoise(predicted / Alpha(sigmas[step + 1]), sigmas[step + 1]));
            x = Update(x, denoised, sigmas, step, order, isBh2, denoised[step + 1]);
        }

        return x;
    }

    private static double Update(double x, List<double> denoised, double[] sigmas, int step, int order, bool isBh2, double? end)
    {
        double Lambda(int i) => -Math.Log(sigmas[i]);
        double h = Lambda(step + 1) - Lambda(step), hh = -h, phi1 = Math.Exp(hh) - 1, b = isBh2 ? phi1 : hh;
        List<double> ratios = [], slopes = [];
        for (int i = 1; i < order; i++)
        {
            ratios.Add((Lambda(step - i) - Lambda(step)) / h);
            slopes.Add((denoised[step - i] - denoised[step]) / ratios[^1]);
        }

        if (end is { } value)
        {
            ratios.Add(1);
            slopes.Add(value - denoised[step]);
        }

        double[] rho = slopes.Count == 1 ? [0.5] : Cramer(ratios, RightSide(hh, b, slopes.Count));
        double alpha = Alpha(sigmas[step + 1]);
        double deviation = sigmas[step + 1] * alpha / (sigmas[step] * Alpha(sigmas[step]));
        return deviation * x - alpha * phi1 * denoised[step] - alpha * b * rho.Zip(slopes, (factor, slope) => factor * slope).Sum();
    }

    // b[k] = k! phi[k] / B by the series phi[k] = sum over j > 0 of hh^j / (j + k)!, where the recursion subtracts.
    private static double[] RightSide(double hh, double b, int count) =>
        [.. Enumerable.Range(1, count).Select(k => Factorial(k) * Series(hh, k) / b)];

    private static double Series(double hh, int k) => Enumerable.Range(1, 60).Sum(j => Math.Pow(hh, j) / Factorial(j + k));

    // Solves sum over i of ratios[i]^k x[i] = right[k] by Cramer's rule.
    private static double[] Cramer(List<double> ratios, double[] right)
    {
        int count = right.Length;
        double[][] rows = [.. Enumerable.Range(0, count).Select(k => ratios.Select(ratio => Math.Pow(ratio, k)).ToArray())];
        double whole = Determinant(rows);
        return
        [
            .. Enumerable.Range(0, count).Select(column =>
                Determinant([.. rows.Select((row, k) => row.Select((cell, i) => i == column ? right[k] : cell).ToArray())]) / whole),
        ];
    }

    private static double Determinant(double[][] rows) => rows.Length switch
    {
        0 => 1,
        1 => rows[0][0],
        _ => Enumerable.Range(0, rows.Length).Sum(column => (column % 2 == 0 ? 1 : -1) * rows[0][column]
            * Determinant([.. rows.Skip(1).Select(row => row.Where((_, i) => i != column).ToArray())])),
    };

    private static double Factorial(int number) => number < 2 ? 1 : number * Factorial(number - 1);

    private static double Alpha(double sigma) => 1 / Math.Sqrt(sigma * sigma + 1);
}
