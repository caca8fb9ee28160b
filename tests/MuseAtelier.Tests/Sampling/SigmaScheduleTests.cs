using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class SigmaScheduleTests
{
    // The schedules of the golden files, and the dialect of each.
    private static readonly Dictionary<string, ScheduleChoice> Named = new()
    {
        ["karras"] = Comfys(TimestepSpacing.Linspace, karras: true),
        ["normal"] = Comfys(TimestepSpacing.Normal),
        ["exponential"] = Comfys(TimestepSpacing.Exponential),
        ["polyexponential"] = Comfys(TimestepSpacing.Polyexponential),
        ["sgm_uniform"] = Comfys(TimestepSpacing.SgmUniform),
        ["simple"] = Comfys(TimestepSpacing.Simple),
        ["ddim_uniform"] = Comfys(TimestepSpacing.DdimUniform),
        ["beta_comfy"] = Comfys(TimestepSpacing.Beta),
        ["beta_a1111"] = new(new NoiseSchedule { Spacing = TimestepSpacing.Beta }, SamplingDialect.A1111),
        ["kl_optimal_comfy"] = Comfys(TimestepSpacing.KlOptimal),
    };

    public static TheoryData<TimestepSpacing, bool, int> Schedules()
    {
        var data = new TheoryData<TimestepSpacing, bool, int>();
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>().Where(spacing => spacing <= TimestepSpacing.Linspace))
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
    public void Sigmas_OfEveryGoldenSchedule_AgreeWithKDiffusionAndComfy()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (GoldenFile golden in GoldenFiles.Samplers)
        {
            foreach (string name in golden.Names.Where(name => name.StartsWith("schedule.", StringComparison.Ordinal)))
            {
                string[] parts = name.Split('.');
                found.Add(parts[1]);
                AssertClose(golden.Floats(name), new SigmaSchedule(Trained.Epsilon, Named[parts[1]], int.Parse(parts[2])).Sigmas);
            }
        }

        Assert.Subset(Named.Keys.ToHashSet(), found);
        Assert.InRange(found.Count, 9, Named.Count);
    }

    [Fact]
    public void Sigmas_OfAlignYourSteps_AreTheTableOrItsLogarithmsInterpolated()
    {
        double[] table =
        [
            14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141, 0.5550693289, 0.3798540708, 0.2332364134,
            0.1114188177,
        ];
        ScheduleChoice choice = Comfys(TimestepSpacing.AlignYourSteps);
        ReadOnlySpan<float> ten = new SigmaSchedule(Trained.Epsilon, choice, 10).Sigmas;
        AssertClose([.. table.Select(sigma => (float)sigma), 0], ten);
        ReadOnlySpan<float> twenty = new SigmaSchedule(Trained.Epsilon, choice, 20).Sigmas;
        Assert.Equal(21, twenty.Length);
        for (int i = 0; i < 19; i++)
        {
            double expected = i % 2 == 0 ? table[i / 2] : Math.Sqrt(table[i / 2] * table[i / 2 + 1]);
            Assert.Equal(1, twenty[i] / expected, 1e-6);
        }
    }

    [Fact]
    public void Sigmas_OfEveryScheduleOfNoiseLevels_FallToZeroAndFitTheirTimesteps()
    {
        IEnumerable<TimestepSpacing> spacings = Enum.GetValues<TimestepSpacing>()
            .Where(spacing => spacing is > TimestepSpacing.Linspace and < TimestepSpacing.Lcm);
        foreach (TimestepSpacing spacing in spacings)
        {
            foreach (bool karras in (bool[])[false, true])
            {
                foreach (int steps in (int[])[1, 2, 30, 333, 999, 1000])
                {
                    var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = spacing, Karras = karras }, steps);
                    if (spacing is not (TimestepSpacing.DdimUniform or TimestepSpacing.Beta)) Assert.Equal(steps, schedule.Steps);
                    Assert.InRange(schedule.Steps, 1, 1000);
                    Assert.Equal(0, schedule.Sigmas[^1]);
                    Assert.Equal(schedule.Sigmas[0], schedule.InitialNoiseScale);
                    for (int i = 0; i < schedule.Steps; i++)
                    {
                        Assert.True(schedule.Sigmas[i] > schedule.Sigmas[i + 1], $"{spacing} {karras} {steps}: sigma {i}");
                        Assert.Equal(1, schedule.Sigmas[i] / TrainedSigma(schedule.Timesteps[i], logarithmic: true), 1e-4);
                    }
                }
            }
        }
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

    private static ScheduleChoice Comfys(TimestepSpacing spacing, bool karras = false) =>
        new(new NoiseSchedule { Spacing = spacing, Karras = karras }, SamplingDialect.Comfy);

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
