using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Schedules by the functions of the program that a request names, against direct computations in double.</summary>
public sealed class ScheduleDialectTests
{
    private static readonly double[] Published = [14.615, 6.315, 3.771, 2.181, 1.342, .862, .555, .38, .234, .113, .029];

    public static TheoryData<int> StepCounts => [1, 2, 4, 10, 11, 30, 333, 1000];

    [Theory]
    [MemberData(nameof(StepCounts))]
    public void Sigmas_OfA1111sKlOptimal_EndAtTheLeastLevel(int steps)
    {
        ReadOnlySpan<float> sigmas = Sigmas(TimestepSpacing.KlOptimal, SamplingDialect.A1111, steps);
        Assert.Equal(steps + 1, sigmas.Length);
        double least = Math.Atan(TrainedSigma(0)), most = Math.Atan(TrainedSigma(999));
        for (int i = 0; i <= steps; i++)
        {
            double part = (double)i / steps;
            AssertClose(Math.Tan(part * least + (1 - part) * most), sigmas[i]);
        }
    }

    [Theory]
    [MemberData(nameof(StepCounts))]
    public void Sigmas_OfA1111sAlignYourSteps_AreAsManyPointsAsSteps(int steps)
    {
        ReadOnlySpan<float> sigmas = Sigmas(TimestepSpacing.AlignYourSteps, SamplingDialect.A1111, steps);
        for (int i = 0; i < steps; i++) AssertClose(Interpolated(10.0 * i / Math.Max(steps - 1, 1)), sigmas[i]);
        Assert.Equal(0, sigmas[^1]);
    }

    [Theory]
    [MemberData(nameof(StepCounts))]
    public void Sigmas_OfDiffusersAlignYourSteps_AreTheTableWithoutItsLastLevel(int steps)
    {
        ReadOnlySpan<float> sigmas = Sigmas(TimestepSpacing.AlignYourSteps, SamplingDialect.Diffusers, steps);
        for (int i = 0; i < steps; i++) AssertClose(Interpolated(10.0 * i / steps), sigmas[i]);
        Assert.Equal(0, sigmas[^1]);
    }

    // The values of the papers' and programs' ten steps, to the digits in which they are known.
    [Theory]
    [InlineData(
        TimestepSpacing.KlOptimal, SamplingDialect.A1111, "14.6146 4.5650 2.6329 1.7864 1.2948 .9616 .7116 .5094 .3356 .1783 .0292")]
    [InlineData(
        TimestepSpacing.AlignYourSteps, SamplingDialect.A1111, "14.6150 5.9634 3.3390 1.8550 1.1023 .6750 .4311 .2606 .1225 .0290 0")]
    [InlineData(TimestepSpacing.AlignYourSteps, SamplingDialect.Diffusers, "14.615 6.315 3.771 2.181 1.342 .862 .555 .380 .234 .113 0")]
    [InlineData(
        TimestepSpacing.Beta, SamplingDialect.Diffusers, "14.6146 13.9278 12.4910 10.5976 8.4424 6.2014 4.0462 2.1528 .7160 .0292 0")]
    [InlineData(TimestepSpacing.Beta, SamplingDialect.Comfy, "14.6146 11.5428 7.3718 4.3728 2.6152 1.6183 1.0273 .6549 .3955 .1991 0")]
    [InlineData(TimestepSpacing.Simple, SamplingDialect.A1111, "14.6146 8.3028 5.0878 3.3211 2.2765 1.6129 1.1606 .8299 .5693 .3417 0")]
    public void Sigmas_OfTenSteps_AreThePrograms(TimestepSpacing spacing, SamplingDialect dialect, string expected)
    {
        double[] levels = Array.ConvertAll(expected.Split(' '), double.Parse);
        ReadOnlySpan<float> sigmas = Sigmas(spacing, dialect, 10);
        Assert.Equal(levels.Length, sigmas.Length);
        for (int i = 0; i < levels.Length; i++) Assert.Equal(levels[i], sigmas[i], 6e-5);
    }

    [Fact]
    public void Sigmas_OfADialect_LieBetweenItsOwnTrainedLevels()
    {
        TimestepSpacing[] spread = [TimestepSpacing.Exponential, TimestepSpacing.Polyexponential, TimestepSpacing.Beta];
        foreach (TimestepSpacing spacing in spread)
        {
            ReadOnlySpan<float> ours = Sigmas(spacing, SamplingDialect.Diffusers, 10);
            Assert.Equal(Trained.Epsilon.Sigmas[^1], ours[0], 2e-6);
            Assert.Equal(Trained.Epsilon.Sigmas[0], ours[9], 1e-8);
            ReadOnlySpan<float> theirs = Sigmas(spacing, SamplingDialect.A1111, 10);
            Assert.Equal(Trained.Epsilon.ExactSigmas[^1], theirs[0], 2e-6);
            Assert.Equal(Trained.Epsilon.ExactSigmas[0], theirs[9], 1e-8);
        }
    }

    [Theory]
    [InlineData(4, new float[] { 999, 759, 499, 259 })]
    [InlineData(8, new float[] { 999, 879, 759, 639, 499, 379, 259, 139 })]
    [InlineData(1, new float[] { 999 })]
    public void Timesteps_OfLcm_AreOfDiffusersGrid(int steps, float[] expected)
    {
        SigmaSchedule schedule = Schedule(TimestepSpacing.Lcm, SamplingDialect.Diffusers, steps);
        Assert.Equal(expected, schedule.Timesteps);
        Assert.Equal(Trained.Epsilon.Sigmas[(int)expected[^1]], schedule.Sigmas[steps - 1]);
        Assert.Equal(Math.Sqrt(schedule.Sigmas[0] * schedule.Sigmas[0] + 1), schedule.InitialNoiseScale, 1e-5);
    }

    [Fact]
    public void Constructor_OfMoreStepsThanLcmsGrid_Throws()
    {
        Assert.Equal(50, Schedule(TimestepSpacing.Lcm, SamplingDialect.Diffusers, 50).Steps);
        Assert.Throws<StepCountException>(() => Schedule(TimestepSpacing.Lcm, SamplingDialect.Diffusers, 51));
        var request = new PictureRequest { Prompt = "", Steps = 51, Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Lcm } };
        Assert.Throws<StepCountException>(() => SamplerCatalog.BuiltIn.EvaluationsOf(request));
    }

    [Fact]
    public void Sigmas_OfA1111sLcm_AreEvenOnTheGridOfFifty()
    {
        SigmaSchedule schedule = Schedule(TimestepSpacing.Lcm, SamplingDialect.A1111, 4);
        Assert.Equal([999, 679, 339, 19], schedule.Timesteps);
        AssertClose(TrainedSigma(999), schedule.Sigmas[0]);
        // Two thirds of the way from the 33rd to the 34th timestep, by logarithms.
        AssertClose(Math.Exp((Math.Log(TrainedSigma(659)) + 2 * Math.Log(TrainedSigma(679))) / 3), schedule.Sigmas[1]);
        AssertClose(TrainedSigma(19), schedule.Sigmas[3]);
    }

    [Fact]
    public void Constructor_OfTimesteps_TakesThemAsTheyAre()
    {
        var list = new NoiseSchedule { Spacing = TimestepSpacing.Leading, Timesteps = new TimestepList(999, 749, 499, 249) };
        var ours = new SigmaSchedule(Trained.Epsilon, new ScheduleChoice(list, SamplingDialect.Diffusers), 4);
        Assert.Equal([999, 749, 499, 249], ours.Timesteps);
        Assert.Equal(Trained.Epsilon.Sigmas[749], ours.Sigmas[1]);
        Assert.Equal(Math.Sqrt(ours.Sigmas[0] * ours.Sigmas[0] + 1), ours.InitialNoiseScale, 1e-5);
        var theirs = new SigmaSchedule(Trained.Epsilon, new ScheduleChoice(list, SamplingDialect.A1111), 4);
        Assert.Equal(Trained.Epsilon.ExactSigmas[749], theirs.Sigmas[1]);
        Assert.Equal(theirs.Sigmas[0], theirs.InitialNoiseScale);
    }

    [Fact]
    public void Check_OfTimestepsWithKarras_Throws()
    {
        var schedule = new NoiseSchedule { Karras = true, Timesteps = new TimestepList(999, 499) };
        Assert.Throws<KarrasTimestepsException>(
            () => RequestRules.Check(new PictureRequest { Prompt = "", Steps = 2, Schedule = schedule }));
    }

    // diffusers' multistep schedulers leave the last of one part more out.
    [Fact]
    public void Timesteps_OfAMultistepScheduler_AreItsOwn()
    {
        Assert.Equal([831, 665, 499, 333, 167], Multistep(new NoiseSchedule { Spacing = TimestepSpacing.Leading }));
        Assert.Equal([999, 799, 599, 400, 200], Multistep(new NoiseSchedule { Spacing = TimestepSpacing.Linspace }));
        Assert.All(Multistep(new NoiseSchedule { Karras = true }).ToArray(), timestep => Assert.Equal(MathF.Round(timestep), timestep));

        static ReadOnlySpan<float> Multistep(NoiseSchedule schedule) =>
            new SigmaSchedule(Trained.Epsilon, new ScheduleChoice(schedule, SamplingDialect.Diffusers) { IsMultistep = true }, 5).Timesteps;
    }

    [Theory]
    [InlineData("Diffusers", "euler_a", "leading")]
    [InlineData("Diffusers", "dpmpp_2m", "leading")]
    [InlineData("Diffusers", "lcm", "lcm")]
    [InlineData("Diffusers", "tcd", "lcm")]
    [InlineData("A1111", "euler_a", "normal")]
    [InlineData("A1111", "heun", "normal")]
    [InlineData("A1111", "dpmpp_2m", "karras")]
    [InlineData("A1111", "dpmpp_sde", "karras")]
    [InlineData("A1111", "dpm_2_ancestral", "karras")]
    [InlineData("A1111", "dpmpp_2s_ancestral", "karras")]
    [InlineData("A1111", "dpmpp_2m_sde", "exponential")]
    [InlineData("A1111", "dpmpp_3m_sde", "exponential")]
    [InlineData("A1111", "ddim", "leading")]
    [InlineData("A1111", "uni_pc", "sgm_uniform")]
    [InlineData("A1111", "lcm", "lcm")]
    [InlineData("Comfy", "dpmpp_2m", "normal")]
    [InlineData("Comfy", "lcm", "sgm_uniform")]
    public void Of_ARequestWithoutASchedule_IsWhatTheProgramPicks(string dialect, string sampler, string schedule)
    {
        SamplingDialect program = Enum.Parse<SamplingDialect>(dialect);
        var request = new PictureRequest { Prompt = "", Sampler = new SamplerName(sampler), Dialect = program };
        Assert.Equal(schedule, ScheduleCatalog.IdOf(ScheduleChoice.Of(request).Schedule));
    }

    [Theory]
    [InlineData("dpm_2", "Diffusers", true, true)]
    [InlineData("dpmpp_3m_sde", "Comfy", false, false)]
    [InlineData("dpmpp_3m_sde", "A1111", false, true)]
    [InlineData("uni_pc", "Diffusers", true, false)]
    [InlineData("uni_pc", "Comfy", false, true)]
    [InlineData("uni_pc_bh2", "A1111", true, false)]
    public void DiscardsPenultimate_OfASampler_IsAsInItsProgram(string sampler, string dialect, bool usual, bool expected)
    {
        var choice = new ScheduleChoice(new NoiseSchedule(), Enum.Parse<SamplingDialect>(dialect));
        Assert.Equal(expected, choice.DiscardsPenultimate(new SamplerName(sampler), usual));
        var list = choice with { Schedule = new NoiseSchedule { Timesteps = new TimestepList(999) } };
        Assert.False(list.DiscardsPenultimate(new SamplerName(sampler), usual));
    }

    [Fact]
    public void Sigmas_OfEveryDialectAndTraining_AreFiniteAndFall()
    {
        TimestepSpacing[] spacings = Enum.GetValues<TimestepSpacing>();
        foreach (TrainedSchedule trained in (TrainedSchedule[])[Trained.Epsilon, Trained.ZeroSnr])
        {
            foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>())
            {
                foreach (TimestepSpacing spacing in spacings)
                {
                    foreach (int steps in (int[])[1, 2, 7, 50, 501, 1000])
                    {
                        if (spacing == TimestepSpacing.Lcm && steps > 50 && dialect != SamplingDialect.A1111) continue;
                        Check(trained, new ScheduleChoice(new NoiseSchedule { Spacing = spacing }, dialect), steps);
                        Check(trained, new ScheduleChoice(new NoiseSchedule { Spacing = spacing, Karras = true }, dialect), steps);
                        Check(trained, new ScheduleChoice(new NoiseSchedule { Spacing = spacing }, dialect) { IsMultistep = true }, steps);
                    }
                }
            }
        }

        static void Check(TrainedSchedule trained, ScheduleChoice choice, int steps)
        {
            string name = $"{choice} {steps}";
            var schedule = new SigmaSchedule(trained, choice, steps);
            bool isKlOptimal = choice.Schedule is { Spacing: TimestepSpacing.KlOptimal, Karras: false };
            bool endsAbove = isKlOptimal && choice.Dialect == SamplingDialect.A1111;
            Assert.True(endsAbove == schedule.Sigmas[^1] > 0, name);
            Assert.True(float.IsFinite(schedule.InitialNoiseScale), name);
            Assert.InRange(schedule.Steps, 1, 1000);
            for (int i = 0; i < schedule.Steps; i++)
            {
                bool falls = schedule.Sigmas[i] > schedule.Sigmas[i + 1] || (steps == 1000 && schedule.Sigmas[i] == schedule.Sigmas[i + 1]);
                Assert.True(float.IsFinite(schedule.Sigmas[i]) && falls, $"{name}: sigma {i} is {schedule.Sigmas[i]}");
                Assert.InRange(schedule.Timesteps[i], 0, 1000);
            }
        }
    }

    private static SigmaSchedule Schedule(TimestepSpacing spacing, SamplingDialect dialect, int steps) =>
        new(Trained.Epsilon, new ScheduleChoice(new NoiseSchedule { Spacing = spacing }, dialect), steps);

    private static ReadOnlySpan<float> Sigmas(TimestepSpacing spacing, SamplingDialect dialect, int steps) =>
        Schedule(spacing, dialect, steps).Sigmas;

    private static double Interpolated(double place)
    {
        int below = Math.Min((int)place, 9);
        return Math.Exp(Math.Log(Published[below]) + (Math.Log(Published[below + 1]) - Math.Log(Published[below])) * (place - below));
    }

    // From the definition, in double.
    private static double TrainedSigma(int timestep)
    {
        double kept = 1;
        for (int i = 0; i <= timestep; i++)
        {
            double root = Math.Sqrt(0.00085) + (Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * i / 999;
            kept *= 1 - root * root;
        }

        return Math.Sqrt((1 - kept) / kept);
    }

    private static void AssertClose(double expected, float actual) =>
        Assert.True(Math.Abs(actual - expected) <= 1e-6 * expected, $"{actual:R} instead of {expected:R}");
}
