using MuseAtelier.Samples.CustomSampler;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The denoising loop with a made-up UNet.</summary>
public sealed class DenoisingLoopTests
{
    private const int Length = 4 * 6 * 5;

    private static readonly PictureRequest Request = new() { Prompt = "", Steps = 5, GuidanceScale = 5 };

    public static TheoryData<string> Samplers => [.. SamplerCatalog.BuiltIn.Names.Select(name => name.Id), CustomParts.Ralston.Id];

    private static SamplerCatalog Catalog => CustomParts.Register(TestAtelier.Options).Catalogs.Samplers;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Run_InAnySlotOfABatch_GivesTheBitsOfThePictureAlone(string sampler)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler) };
        using DenoisingLoop together = Run(request, new BatchSlot(4, 1), 2, out FakeDenoiser denoiser);
        for (int i = 0; i < 2; i++)
        {
            using DenoisingLoop alone = Run(request with { Seed = (ulong)i }, BatchSlot.Alone, 1, out _);
            Assert.Equal(alone.Latents(0), together.Latents(i));
            Assert.Equal(alone.Hashes(0), together.Hashes(i));
        }

        // Unused slots repeat the first picture, and the second half of the rows the first half.
        float[][] rows = [.. denoiser.Input.ToArray().Chunk(Length)];
        Assert.NotEqual(rows[1], rows[2]);
        Assert.Equal(8, rows.Length);
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Run_OfEverySampler_CountsItsEvaluations(string sampler)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler) };
        bool evaluatesTwice = request.Sampler.EvaluatesTwice || sampler == "ralston";
        int expected = evaluatesTwice ? 9 : 5;
        List<int> finished = [];
        using DenoisingLoop loop = Run(request, BatchSlot.Alone, 1, out FakeDenoiser denoiser, finished);
        Assert.Equal(Enumerable.Range(0, expected), denoiser.Started);
        Assert.Equal(Enumerable.Range(1, expected), finished);
        Assert.Equal(expected, loop.Clock.Times.Count);
        Assert.Equal(expected + 1, loop.Hashes(0).Count);
        // Noise is drawn after the last evaluation of every step except the last one; DPM++ SDE draws it after every evaluation.
        bool isSde = sampler is "dpmpp_2m_sde" or "dpmpp_2m_sde_heun" or "dpmpp_3m_sde" or "dpmpp_sde";
        bool draws = isSde || sampler is "euler_a" or "dpm_2_ancestral" or "dpmpp_2s_ancestral" or "lcm" or "tcd" or "ddpm";
        bool isBetween = evaluatesTwice && sampler != "dpmpp_sde";
        Assert.Equal(
            [true, .. Enumerable.Range(1, expected).Select(i => draws && i < expected && (!isBetween || i % 2 == 0))],
            loop.Hashes(0).Select(hash => hash.Noise is not null));
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(5f)]
    public void Run_OfEulerAncestral_FollowsTheFormula(float scale)
    {
        PictureRequest request = Request with { GuidanceScale = scale, Seed = 3 };
        using DenoisingLoop loop = Run(request, BatchSlot.Alone, 1, out _);
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog);
        ReadOnlySpan<float> sigmas = recipe.Schedule.Sigmas;
        var noise = new TorchCpuNoise(3);
        float[] drawn = new float[Length];
        noise.Fill(drawn);
        double[] x = [.. drawn.Select(value => (double)(value * recipe.Schedule.InitialNoiseScale))];
        for (int step = 0; step < 5; step++)
        {
            double s = sigmas[step], t = sigmas[step + 1];
            double up = Math.Sqrt(t * t * (s * s - t * t) / (s * s)), down = Math.Sqrt(t * t - up * up);
            if (t > 0) noise.Fill(drawn);
            for (int i = 0; i < Length; i++)
            {
                float input = (float)(x[i] / Math.Sqrt(s * s + 1)), timestep = recipe.Schedule.Timesteps[step];
                double with = FakeDenoiser.Predict(input, timestep), without = FakeDenoiser.Predict(input, timestep, isNegative: true);
                double epsilon = scale > 1 ? without + scale * (with - without) : with;
                x[i] += epsilon * (down - s) + drawn[i] * up;
            }
        }

        Assert.All(x, (value, i) => Assert.Equal(value, loop.Latents(0)[i], 1e-4));
    }

    // Of five steps, those from 0.2 up to but not including 0.8 are guided: the second, third and fourth.
    [Theory]
    [InlineData(5f, 0.2f, 0.8f)]
    [InlineData(5f, 0.4f, 1f)]
    [InlineData(5f, 0.5f, 0.5f)]
    [InlineData(1f, 0f, 1f)]
    public void Run_OfPartsAndAnInterval_FollowsTheFormula(float scale, float from, float to)
    {
        foreach (float[] weights in (float[][])[[1], [0.5f], [1, 0.6f], [1, 0.6f, -0.25f]])
        {
            PictureRequest request = Request with
            {
                Sampler = SamplerName.Euler,
                GuidanceScale = scale,
                GuidanceFrom = from,
                GuidanceTo = to,
                Seed = 3,
            };
            SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog, weights);
            using DenoisingLoop loop = Run(request, new BatchSlot(2, 1), 1, out _, weights: weights);
            double[] x = [.. Draw(3).Select(value => (double)(value * recipe.Schedule.InitialNoiseScale))];
            for (int step = 0; step < 5; step++)
            {
                double s = recipe.Schedule.Sigmas[step], t = recipe.Schedule.Sigmas[step + 1];
                bool isInside = step >= 5 * (double)from - 1e-6 && step < 5 * (double)to - 1e-6;
                for (int i = 0; i < Length; i++) x[i] += (t - s) * Epsilon(x[i], s, recipe.Schedule.Timesteps[step], isInside ? scale : 1);
            }

            Assert.All(x, (value, i) => Assert.Equal(value, loop.Latents(0)[i], 1e-3));

            double Epsilon(double latent, double sigma, float timestep, double strength)
            {
                float input = (float)(latent / Math.Sqrt(sigma * sigma + 1));
                if (weights.Length == 1 && strength == 1) return FakeDenoiser.Predict(input, timestep);
                double without = FakeDenoiser.Predict(input, timestep, isNegative: true);
                return without + weights.Select((weight, part) =>
                    weight * strength * (FakeDenoiser.Predict(input, timestep, part: part) - without)).Sum();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Run_OfPartsAndAnInterval_GivesEverySlotItsPictureAndAllocatesNothing(string sampler)
    {
        foreach (float[] weights in (float[][])[[1], [1, 0.6f]])
        {
            PictureRequest request = Request with { Sampler = new SamplerName(sampler), GuidanceFrom = 0.2f, GuidanceTo = 0.8f };
            Run(request, new BatchSlot(3, 1), 2, out _, weights: weights).Dispose();
            using DenoisingLoop together = Run(request, new BatchSlot(3, 1), 2, out _, weights: weights);
            Assert.Equal(0, together.Clock.ManagedBytes);
            for (int i = 0; i < 2; i++)
            {
                using DenoisingLoop alone = Run(request with { Seed = (ulong)i }, BatchSlot.Alone, 1, out _, weights: weights);
                Assert.Equal(alone.Hashes(0), together.Hashes(i));
            }
        }
    }

    // Both evaluations of a step are inside or outside with their step.
    [Theory]
    [InlineData("euler", 0.2f, 0.8f, 20, 8)]
    [InlineData("heun", 0.2f, 0.8f, 20, 15)]
    [InlineData("euler", 0f, 1f, 20, 0)]
    [InlineData("heun", 0f, 0.95f, 20, 1)]
    [InlineData("euler", 0.5f, 0.5f, 20, 20)]
    public void EvaluationsOfThePromptAlone_CountThoseOutsideOfTheInterval(string sampler, float from, float to, int steps, int expected)
    {
        PictureRequest request =
            Request with { Sampler = new SamplerName(sampler), Steps = steps, GuidanceFrom = from, GuidanceTo = to };
        Assert.Equal(expected, Catalog.EvaluationsOfThePromptAlone(request));
        Assert.Equal(Catalog.EvaluationsOf(request), Catalog.EvaluationsOfThePromptAlone(request with { GuidanceScale = 1 }));
    }

    // ddim_uniform makes 22 steps of 21, and ComfyUI's beta fewer than 900.
    [Theory]
    [InlineData(TimestepSpacing.DdimUniform, 21, 0.99f, 22)]
    [InlineData(TimestepSpacing.DdimUniform, 21, 0.95f, 21)]
    [InlineData(TimestepSpacing.DdimUniform, 21, 1f, 22)]
    [InlineData(TimestepSpacing.Beta, 900, 0.998f, null)]
    public void Run_OfAScheduleWithOtherSteps_SharesTheIntervalAmongThem(TimestepSpacing spacing, int steps, float from, int? alone)
    {
        PictureRequest request = Request with
        {
            Sampler = SamplerName.Euler,
            Steps = steps,
            GuidanceScale = 5,
            GuidanceFrom = from,
            Schedule = new NoiseSchedule { Spacing = spacing },
            Dialect = SamplingDialect.Comfy,
        };
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog);
        Assert.NotEqual(steps, recipe.Evaluations.Length);
        int expected = alone ?? recipe.Evaluations.Length - 1;
        Assert.Equal(expected, Catalog.EvaluationsOfThePromptAlone(request));
        Assert.Equal(expected < recipe.Evaluations.Length, recipe.Guidance.IsGuided);
        using DenoisingLoop loop = Run(request, BatchSlot.Alone, 1, out _);
        Assert.Equal(-1, loop.Latents(0).IndexOfAnyExceptInRange(float.MinValue, float.MaxValue));
    }

    [Fact]
    public void Run_OfAVelocityModel_LeadsToItsPictures()
    {
        PictureRequest request = Request with { Sampler = SamplerName.Euler, Steps = 1, GuidanceScale = 1, Seed = 3 };
        using DenoisingLoop loop = Run(request, BatchSlot.Alone, 1, out _, trained: Trained.ZeroSnr);
        SigmaSchedule schedule = SamplingRecipe.Of(request, Trained.ZeroSnr, Catalog).Schedule;
        double s = schedule.Sigmas[0];
        float[] x = new float[Length];
        new TorchCpuNoise(3).Fill(x);
        for (int i = 0; i < Length; i++)
        {
            double latent = x[i] * schedule.InitialNoiseScale;
            double v = FakeDenoiser.Predict((float)(latent / Math.Sqrt(s * s + 1)), schedule.Timesteps[0]);
            Assert.Equal(latent / (s * s + 1) - v * s / Math.Sqrt(s * s + 1), loop.Latents(0)[i], 1e-4);
        }

        Assert.Null(loop.FirstResemblance);
    }

    [Fact]
    public void Run_OfAPredictionThatIsNotFinite_NamesTheStep()
    {
        SamplingRecipe recipe = SamplingRecipe.Of(Request, Trained.Epsilon, Catalog);
        var denoiser = new FakeDenoiser(recipe, 2, Length);
        using var loop = new DenoisingLoop(
            recipe, [Noise(0)], BatchSlot.Alone, denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate);
        NotFiniteException exception = Assert.Throws<NotFiniteException>(() =>
            loop.Run(null!, finished => denoiser.Fault = finished == 2 ? float.NaN : null, Cancellation));
        Assert.Contains("in step 3", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Cancelled_EvaluatesNoMore()
    {
        SamplingRecipe recipe = SamplingRecipe.Of(Request, Trained.Epsilon, Catalog);
        var denoiser = new FakeDenoiser(recipe, 2, Length);
        using var stop = new CancellationTokenSource();
        using var loop = new DenoisingLoop(
            recipe, [Noise(0)], BatchSlot.Alone, denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate);
        Assert.Throws<OperationCanceledException>(() => loop.Run(
            null!,
            finished =>
            {
                if (finished == 2) stop.Cancel();
            },
            stop.Token));
        Assert.Equal([0, 1], denoiser.Started);
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Run_OfEverySampler_AllocatesNothingManaged(string sampler)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler) };
        Run(request, new BatchSlot(3, 0), 3, out _).Dispose();
        using DenoisingLoop loop = Run(request, new BatchSlot(3, 0), 3, out _);
        Assert.Equal(0, loop.Clock.ManagedBytes);
    }

    [Theory]
    [InlineData("dpmpp_2m_sde", "A1111")]
    [InlineData("dpmpp_2m_sde_heun", "A1111-CPU")]
    [InlineData("dpmpp_3m_sde", "Comfy")]
    [InlineData("dpmpp_3m_sde", "Comfy-GPU")]
    public void Run_WithBrownianNoise_GivesEachPictureItsBitsAndAllocatesNothing(string sampler, string source)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler), NoiseSource = new NoiseSource(source), Seed = 8 };
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog);
        Loop(2, [8, 9]).Dispose();
        using DenoisingLoop together = Loop(2, [8, 9]);
        Assert.Equal(0, together.Clock.ManagedBytes);
        for (int i = 0; i < 2; i++)
        {
            using DenoisingLoop alone = Loop(1, [8 + (ulong)i]);
            Assert.Equal(alone.Latents(0), together.Latents(i));
            Assert.Equal(alone.Hashes(0), together.Hashes(i));
        }

        using DenoisingLoop plain = Run(request, BatchSlot.Alone, 1, out _);
        Assert.NotEqual(plain.Hashes(0)[1].Noise, together.Hashes(0)[1].Noise);

        DenoisingLoop Loop(int slots, ulong[] seeds)
        {
            PictureNoise[] noise = [.. seeds.Select(seed => NoiseSourceCatalog.BuiltIn.Create(request.NoiseSource, seed))];
            var loop = new DenoisingLoop(
                recipe, noise, new BatchSlot(slots, 0), new FakeDenoiser(recipe, 2 * slots, Length), DenoisingInputs.FromNoise, null,
                HostBuffers.Allocate);
            loop.Run(null!, _ => { }, Cancellation);
            return loop;
        }
    }

    [Fact]
    public void NoiseInterval_OfASampler_LiesBetweenItsSteps()
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 5);
        var sampler = new Dpmpp2SAncestralSampler(schedule);
        foreach (Evaluation evaluation in sampler.Evaluations)
        {
            (float from, float to) = sampler.NoiseInterval(evaluation, 0);
            Assert.Equal(schedule.Sigmas[evaluation.Step], from);
            Assert.Equal(schedule.Sigmas[evaluation.Step + 1], to);
        }
    }

    [Fact]
    public void Constructor_WithADenoiserOfOtherRows_Refuses()
    {
        SamplingRecipe recipe = SamplingRecipe.Of(Request, Trained.Epsilon, Catalog);
        var denoiser = new FakeDenoiser(recipe, 1, Length);
        Assert.Throws<ArgumentException>(() => new DenoisingLoop(
            recipe, [Noise(0)], BatchSlot.Alone, denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate));
    }

    [Theory]
    [InlineData(1f, 0)]
    [InlineData(0.65f, 2)]
    [InlineData(0.01f, 4)]
    public void Run_FromAnExistingPicture_BeginsAtTheStepOfItsStrength(float strength, int firstStep)
    {
        PictureRequest request = Request with { Sampler = SamplerName.Heun, GuidanceScale = 1 };
        StepSpan span = StepSpan.Of(SamplingDialect.Diffusers, request.Steps, strength);
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog, span: span);
        float[] picture = Draw(9), noise = Draw(0);
        var denoiser = new FakeDenoiser(recipe, 1, Length);
        var inputs = new DenoisingInputs(InitialLatents.Encoded(picture));
        using var loop = new DenoisingLoop(recipe, [Noise(0)], BatchSlot.Alone, denoiser, inputs, null, HostBuffers.Allocate);
        float sigma = recipe.Schedule.Sigmas[firstStep];
        Assert.All(picture, (value, i) => Assert.Equal(value + noise[i] * sigma, loop.Latents(0)[i], 1e-5));
        int finished = 0;
        loop.Run(null!, count => finished = count, Cancellation);
        Assert.Equal(Enumerable.Range(2 * firstStep, 9 - 2 * firstStep), denoiser.Started);
        Assert.Equal(9 - 2 * firstStep, finished);
        Assert.Equal(10 - 2 * firstStep, loop.Hashes(0).Count);
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Run_WithAMask_KeepsThePictureOutsideOfIt(string sampler)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler) };
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, Catalog);
        float[] picture = Draw(9), noise = Draw(0);
        float[] weights = [.. Enumerable.Range(0, Length).Select(i => i % 3 == 0 ? 1f : 0f)];
        var start = InitialLatents.Encoded(LatentDistribution.Of(picture), isNoiseAlone: true);
        var inputs = new DenoisingInputs(start, new LatentMask(weights, MaskBlending.Latents));
        using DenoisingLoop free = Run(request, BatchSlot.Alone, 1, out _);
        using var loop = new DenoisingLoop(
            recipe, [Noise(0)], BatchSlot.Alone, new FakeDenoiser(recipe, 2, Length), inputs, null, HostBuffers.Allocate);
        loop.Run(
            null!,
            finished =>
            {
                int step = recipe.Evaluations[finished - 1].Step;
                if (finished < recipe.Evaluations.Length && recipe.Evaluations[finished].Step == step) return;
                float sigma = recipe.Schedule.Sigmas[step + 1];
                for (int i = 0; i < Length; i++)
                    if (weights[i] == 0) Assert.Equal(picture[i] + noise[i] * sigma, loop.Latents(0)[i], 1e-6);
            },
            Cancellation);

        // The made-up model sees each number alone, so the painted ones are those of the picture without a mask.
        for (int i = 0; i < Length; i++)
            Assert.Equal(weights[i] == 0 ? picture[i] : free.Latents(0)[i], loop.Latents(0)[i], 1e-4);
    }

    [Fact]
    public void Run_WithExtraChannels_GivesThemToEveryRowOfEveryEvaluation()
    {
        SamplingRecipe recipe = SamplingRecipe.Of(Request, Trained.Epsilon, Catalog);
        float[] extra = [.. Enumerable.Range(0, 60).Select(i => i + 0.5f)];
        var denoiser = new FakeDenoiser(recipe, 6, Length, extra.Length);
        var inputs = new DenoisingInputs(InitialLatents.Noise, ExtraChannels: extra);
        using var loop = new DenoisingLoop(recipe, [Noise(0)], new BatchSlot(3, 1), denoiser, inputs, null, HostBuffers.Allocate);
        loop.Run(
            null!,
            _ => Assert.All(denoiser.Input.ToArray().Chunk(Length + extra.Length), row => Assert.Equal(extra, row[Length..])),
            Cancellation);
        using DenoisingLoop plain = Run(Request, BatchSlot.Alone, 1, out _);
        Assert.Equal(plain.Latents(0), loop.Latents(0));
        Assert.Throws<ArgumentException>(() => new DenoisingLoop(
            recipe, [Noise(0)], new BatchSlot(3, 1), denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate));
    }

    [Fact]
    public void Write_OfNoiseAlone_MultipliesByTheSchedulesScale()
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 30);
        float[] noise = Draw(1), scaled = new float[Length];
        InitialLatents.Noise.Write(noise, schedule.InitialNoiseScale, schedule.Sigmas[0], default, scaled);
        Assert.All(noise, (value, i) => Assert.Equal(value * schedule.InitialNoiseScale, scaled[i]));
    }

    private static DenoisingLoop Run(
        PictureRequest request, BatchSlot slot, int pictures, out FakeDenoiser denoiser, List<int>? finished = null,
        TrainedSchedule? trained = null, float[]? weights = null)
    {
        SamplingRecipe recipe = SamplingRecipe.Of(request, trained ?? Trained.Epsilon, Catalog, weights);
        denoiser = new FakeDenoiser(recipe, slot.BatchSize * recipe.Guidance.RowsPerPicture, Length);
        PictureNoise[] noise = [.. Enumerable.Range(0, pictures).Select(i => Noise(request.Seed + (ulong)i))];
        var loop = new DenoisingLoop(recipe, noise, slot, denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate);
        loop.Run(null!, count => finished?.Add(count), Cancellation);
        return loop;
    }

    private static PictureNoise Noise(ulong seed) => NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, seed);

    private static float[] Draw(ulong seed)
    {
        float[] drawn = new float[Length];
        new TorchCpuNoise(seed).Fill(drawn);
        return drawn;
    }
}
