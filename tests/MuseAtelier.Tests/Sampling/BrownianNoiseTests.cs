using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Brownian noise against torchsde's, as k-diffusion's samplers draw it.</summary>
public sealed class BrownianNoiseTests
{
    private const int Length = 256;

    // The sigmas of the reference values: k-diffusion's get_sigmas_karras in fp32 for 6 steps.
    private static readonly float[] Karras = [14.614643f, 6.0821514f, 2.2321544f, 0.6925706f, 0.16975665f, 0.029167235f, 0];

    private static readonly GoldenFile Golden = new(Path.Combine(GoldenFiles.Folder, "brownian.golden.safetensors"));

    public static TheoryData<ulong> Seeds => [0, 42, 4294967295, 123456789012];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Draw_OfATorchTree_IsBitEqual(ulong seed)
    {
        float[] expected = Golden.Floats($"brownian.{seed}");
        float[][] drawn = IntervalSampler.Draw(Karras, Falling(Karras), Torch(seed), Length);
        Assert.Equal(expected, drawn.SelectMany(draw => draw));
    }

    [Fact]
    public void Draw_OfManyNumbers_AgreesWithin1e6()
    {
        float[] expected = Golden.Floats("brownian_large.7");
        float[] drawn = IntervalSampler.Draw(Karras, [(Karras[1], Karras[2])], Torch(7), 4 * 64 * 96)[0];
        float[] ends = [.. drawn[..16], .. drawn[^16..]];
        Assert.All(expected, (value, i) => Assert.Equal(value, ends[i], 1e-6));
        Assert.Equal(-197.30326295718078, drawn.Sum(value => (double)value), 1e-3);
    }

    [Fact]
    public void Draw_ForTheIntervalsOfAMultistepSampler_IsBitEqual()
    {
        float[] sigmas = Golden.Floats("dpmpp_2m_sde.exponential.5.sigmas");
        SigmaSchedule schedule = SigmaSchedule.FromSigmas(sigmas);
        var sampler = new Dpmpp2MSdeSampler(schedule, isHeun: false);
        (float, float)[] intervals = [.. sampler.Evaluations[..4].ToArray().Select(evaluation => sampler.NoiseInterval(evaluation, 0))];
        Assert.Equal(Falling(sigmas), intervals);
        float[][] drawn = IntervalSampler.Draw(sigmas, intervals, Torch(42), Length);
        Assert.Equal(Golden.Floats("dpmpp_2m_sde.exponential.5.drawn"), drawn.SelectMany(draw => draw));
    }

    [Fact]
    public void Draw_ForTheIntervalsOfASingleStepSampler_IsBitEqual()
    {
        float[] sigmas = Golden.Floats("dpmpp_sde.karras.5.sigmas");
        var sampler = new DpmppSdeSampler(SigmaSchedule.FromSigmas(sigmas));
        List<(float, float)> intervals = [];
        foreach (Evaluation evaluation in sampler.Evaluations)
            if (evaluation.NoiseDraws > 0) intervals.Add(sampler.NoiseInterval(evaluation, 0));
        // The schedule has as many steps as there are draws; its levels matter only by their limits.
        float[] levels = [sigmas[0], .. Enumerable.Range(0, 7).Select(i => 10f - i), sigmas[4], 0];
        float[][] drawn = IntervalSampler.Draw(levels, [.. intervals], Torch(42), Length);
        Assert.Equal(Golden.Floats("dpmpp_sde.karras.5.drawn"), drawn.SelectMany(draw => draw));
    }

    [Fact]
    public void Draw_InAnyOrder_GivesTheSameNumbers()
    {
        (float, float)[] intervals = Falling(Karras);
        float[][] drawn = IntervalSampler.Draw(Karras, intervals, Torch(3), Length);
        float[][] backwards = IntervalSampler.Draw(Karras, [.. intervals.Reverse()], Torch(3), Length);
        Assert.Equal(drawn.Reverse(), backwards);
    }

    [Fact]
    public void Draw_OfTwoHalves_AddsUpToTheWhole()
    {
        float[] levels = [14.614643f, 9, 8, 7, 6, 5, 4, 0.029167235f, 0];
        float[][] drawn = IntervalSampler.Draw(
            levels, [(9, 4), (9, 6.5f), (6.5f, 4), (4, 9), (5, 5), (20, 14), (14.614643f, 14)], Torch(3), Length);
        for (int i = 0; i < Length; i++)
            Assert.Equal(drawn[0][i] * Math.Sqrt(2), drawn[1][i] + drawn[2][i], 1e-5);
        // Rising intervals change the sign; an interval of no length has no noise; noise levels are limited to the tree's.
        Assert.Equal(drawn[0].Select(value => -value), drawn[3]);
        Assert.All(drawn[4], value => Assert.Equal(0, value));
        for (int i = 0; i < Length; i++)
            Assert.Equal(drawn[6][i] * Math.Sqrt(0.614643), drawn[5][i] * Math.Sqrt(6), 1e-5);
    }

    [Fact]
    public void Draw_OfAutomatic1111sTree_TakesPhiloxsNumbers()
    {
        // The interval of the whole tree is the root, whose numbers follow from the first seed alone.
        float[] expected = new float[Length];
        PhiloxNoise.Fill(SeedSequence.First(5), 0, expected);
        Check(NoiseSource.A1111);
        Check(NoiseSource.ComfyGpu);
        TorchCpuNoise.Fill(SeedSequence.First(5), expected);
        Check(NoiseSource.Comfy);
        Check(NoiseSource.A1111Cpu);
        Check(NoiseSource.Diffusers);

        void Check(NoiseSource source)
        {
            PictureNoise noise = NoiseSourceCatalog.BuiltIn.Create(source, 5);
            float[] drawn = IntervalSampler.Draw(Karras, [(Karras[0], Karras[5])], noise, Length)[0];
            Assert.All(expected, (value, i) => Assert.Equal(-value, drawn[i], 1e-6));
        }
    }

    [Theory]
    [InlineData("A1111", true)]
    [InlineData("Comfy", true)]
    [InlineData("A1111-CPU", true)]
    [InlineData("Comfy-GPU", true)]
    [InlineData("Diffusers", false)]
    public void Serves_OfASource_KnowsTheSamplersOfItsProgram(string source, bool servesMultistep)
    {
        BrownianNoise noise = NoiseSourceCatalog.BuiltIn.Create(new NoiseSource(source), 1).Brownian!;
        Assert.True(noise.Serves(StepNoise.Brownian));
        Assert.Equal(servesMultistep, noise.Serves(StepNoise.BrownianMultistep));
        Assert.False(noise.Serves(StepNoise.Independent));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(14.614643096923828, 14.614643)]
    [InlineData(0.029167234897613525, 0.029167)]
    [InlineData(7.3219050000000001, 7.321905)]
    [InlineData(4518.7644, 4518.7644)]
    [InlineData(1e-300, 0)]
    [InlineData(0.5e-6, 0)]
    [InlineData(0.0000015, 0.000002)]
    public void Round_GivesSixDecimals(double time, double expected) => Assert.Equal(expected, BrownianNode.Round(time));

    [Theory]
    [InlineData(0.0000004768371582031250)] // 2^-21: below a half
    [InlineData(0.00000095367431640625)] // 2^-20
    [InlineData(3.0517578125e-05)] // 2^-15
    [InlineData(0.1234565)]
    [InlineData(2.3456785)]
    [InlineData(80.0000005)]
    [InlineData(6.5625005)]
    public void Round_AgreesWithDecimalDigits(double time)
    {
        // A decimal holds these binary values exactly.
        decimal exact = 0, unit = 1;
        double rest = time;
        for (int bit = 0; bit < 80 && rest != 0; bit++)
        {
            decimal whole = (decimal)Math.Floor(rest);
            exact += whole * unit;
            rest = (rest - Math.Floor(rest)) * 2;
            unit /= 2;
        }

        Assert.Equal((double)Math.Round(exact, 6, MidpointRounding.ToEven), BrownianNode.Round(time));
    }

    [Fact]
    public void Round_BeyondTheGrid_Refuses()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => BrownianNode.Round(9.1e9));
        Assert.Throws<ArgumentOutOfRangeException>(() => BrownianNode.Round(double.NaN));
    }

    [Fact]
    public void Slots_OfManySteps_DoNotGrowWithThem()
    {
        int few = Slots(10), many = Slots(300);
        Assert.InRange(few, 20, 60);
        Assert.InRange(many, 20, 60);

        static int Slots(int steps)
        {
            var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Karras = true }, steps);
            return new BrownianPlan(new Dpmpp2MSdeSampler(schedule, isHeun: false), schedule.Sigmas).Slots;
        }
    }

    [Theory]
    [InlineData("dpmpp_2m_sde", "a1111", 46)]
    [InlineData("dpmpp_2m_sde", "diffusers", 0)]
    [InlineData("euler_a", "a1111", 0)]
    public void NoiseBytesOf_ARequest_CountsTheTree(string sampler, string source, int slots)
    {
        var request = new PictureRequest
        {
            Prompt = "",
            Sampler = new SamplerName(sampler),
            NoiseSource = new NoiseSource(source),
            Schedule = new NoiseSchedule { Karras = true },
        };
        Assert.Equal(slots * 262144L, SamplingCatalogs.BuiltIn.NoiseBytesOf(request));
    }

    [Fact]
    public void Draw_ByAGeneratorThatFails_ThrowsItsException()
    {
        var generator = new TorchCpuNoise(1);
        var noise = new PictureNoise(generator, generator) { Brownian = new BrownianNoise(1, new FailingNormals()) };
        Assert.Throws<NotSupportedException>(() => IntervalSampler.Draw(Karras, Falling(Karras), noise, Length));
    }

    private static (float, float)[] Falling(float[] sigmas) =>
        [.. Enumerable.Range(0, sigmas.Length - 2).Select(i => (sigmas[i], sigmas[i + 1]))];

    private static PictureNoise Torch(ulong seed) => NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, seed);

    private sealed class FailingNormals : ISeededNoiseGenerator
    {
        public void Fill(uint seed, Span<float> destination) => throw new NotSupportedException();
    }
}
