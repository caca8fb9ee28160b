using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class SigmaScheduleTests
{
    public static TheoryData<TimestepSpacing, bool, int> Schedules()
    {
        var data = new TheoryData<TimestepSpacing, bool, int>();
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>())
        {
            foreach (bool karras in (bool[])[false, true])
            {
                foreach (int steps in (int[])[1, 2, 30, 333, 999, 1000])
                    data.Add(spacing, karras, steps);
            }
        }

        return data;
    }

    [Fact]
    public void Constructor_OfEveryGoldenSchedule_AgreesWithDiffusers()
    {
        int schedules = 0;
        Assert.All(GoldenFiles.All, golden =>
            Assert.All(golden.Names.Where(name => name.EndsWith(".sigmas", StringComparison.Ordinal)), name =>
        {
            string prefix = name[..^".sigmas".Length];
            var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), int.Parse(prefix.Split('.')[1]));
            Assert.Equal(golden.Floats(prefix + ".timesteps"), schedule.Timesteps);
            AssertClose(golden.Floats(name), schedule.Sigmas);
            AssertClose(golden.Floats(prefix + ".init_noise_sigma"), [schedule.InitialNoiseScale]);
            schedules++;
        }));
        Assert.NotEqual(0, schedules);
    }

    [Theory]
    [InlineData(TimestepSpacing.Leading, 4, new float[] { 751, 501, 251, 1 })]
    [InlineData(TimestepSpacing.Leading, 3, new float[] { 667, 334, 1 })]
    [InlineData(TimestepSpacing.Trailing, 4, new float[] { 999, 749, 499, 249 })]
    [InlineData(TimestepSpacing.Trailing, 3, new float[] { 999, 666, 332 })]
    [InlineData(TimestepSpacing.Linspace, 4, new float[] { 999, 666, 333, 0 })]
    [InlineData(TimestepSpacing.Linspace, 3, new float[] { 999, 499.5f, 0 })]
    public void Timesteps_OfASpacing_AreDiffusers(TimestepSpacing spacing, int steps, float[] expected) =>
        Assert.Equal(expected, new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = spacing }, steps).Timesteps);

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Sigmas_OfEverySchedule_FallToZeroAndFitTheirTimesteps(TimestepSpacing spacing, bool karras, int steps)
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = spacing, Karras = karras }, steps);
        Assert.Equal(steps, schedule.Timesteps.Length);
        Assert.Equal(steps + 1, schedule.Sigmas.Length);
        Assert.Equal(0, schedule.Sigmas[steps]);
        for (int i = 0; i < steps; i++)
        {
            // 1000 leading steps begin with timesteps 1000 and 999, which share the last trained sigma.
            Assert.True(schedule.Sigmas[i] > schedule.Sigmas[i + 1] || (steps == 1000 && i == 0), $"sigma {i}");
            Assert.InRange(schedule.Timesteps[i], 0, 1000);
            Assert.Equal(1, schedule.Sigmas[i] / TrainedSigma(schedule.Timesteps[i], karras), 1e-4);
        }

        float largest = schedule.Sigmas[0];
        Assert.Equal(spacing == TimestepSpacing.Leading ? Math.Sqrt(largest * largest + 1) : largest, schedule.InitialNoiseScale, 1e-5);
    }

    [Fact]
    public void Sigmas_ByKarras_FollowEquation5()
    {
        ReadOnlySpan<float> plain = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.Linspace }, 20).Sigmas;
        var spread = new NoiseSchedule { Spacing = TimestepSpacing.Linspace, Karras = true };
        ReadOnlySpan<float> karras = new SigmaSchedule(Trained.Epsilon, spread, 20).Sigmas;
        Assert.Equal(14.6146, karras[0], 1e-4); // SDXL's largest and smallest
        Assert.Equal(0.0292, karras[19], 1e-4);
        for (int i = 0; i < 20; i++)
        {
            double root = Math.Pow(plain[0], 1 / 7.0) * (19 - i) / 19 + Math.Pow(plain[19], 1 / 7.0) * i / 19;
            Assert.Equal(1, karras[i] / Math.Pow(root, 7), 1e-6);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public void Constructor_WithStepsOutOfRange_Throws(int steps) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), steps));

    // All in double, from the definition.
    private static double TrainedSigma(double timestep, bool logarithmic)
    {
        int low = Math.Min((int)timestep, 998);
        double part = Math.Min(timestep - low, 1);
        double below = Exact(low), above = Exact(low + 1);
        return logarithmic ? Math.Exp(Math.Log(below) * (1 - part) + Math.Log(above) * part) : below * (1 - part) + above * part;

        static double Exact(int t)
        {
            double kept = 1;
            for (int i = 0; i <= t; i++)
            {
                double root = Math.Sqrt(0.00085) + (Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * i / 999;
                kept *= 1 - root * root;
            }

            return Math.Sqrt((1 - kept) / kept);
        }
    }

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-6 * expected[i], $"{i}: {expected[i]:R} {actual[i]:R}");
    }
}
