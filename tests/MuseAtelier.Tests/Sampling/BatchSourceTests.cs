using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Pictures that are painted from existing ones, with a made-up UNet that sees each number alone.</summary>
public sealed class BatchSourceTests
{
    private const int Length = 4 * 16;

    private static readonly PictureRequest Request = new()
    {
        Prompt = "",
        Sampler = SamplerName.Euler,
        Steps = 6,
        GuidanceScale = 1,
    };

    // Whole, none, and a share of each of both.
    private static readonly float[] Weights =
        [.. Enumerable.Range(0, Length).Select(i => (i % 4) switch { 0 => 1, 1 => 0, 2 => 0.75f, _ => 0.25f })];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Begin_InDiffusersOrder_DrawsThePictureThenTheNoiseThenTheMaskedPicture()
    {
        float[] mean = Draw(3, 0), logVariance = [.. Draw(4, 0).Select(value => value - 2)];
        var picture = LatentDistribution.OfEncoder([.. mean], [.. logVariance], 0.5f, null);
        var inputs = new DenoisingInputs(InitialLatents.Encoded(picture), ExtraChannels: new float[16])
        {
            MaskedPicture = LatentDistribution.OfEncoder([.. mean], [.. logVariance], 2, null),
            DrawsForMaskedPicture = true,
        };
        SamplingRecipe recipe = Recipe(Request with { Sampler = SamplerName.EulerAncestral }, new StepSpan(6, 4));
        var denoiser = new FakeDenoiser(recipe, 1, Length, Length + 16);
        using DenoisingLoop loop = Loop(recipe, denoiser, inputs);
        float[][] draws = [.. Enumerable.Range(0, 4).Select(draw => Draw(7, draw))];
        for (int i = 0; i < Length; i++)
        {
            float deviation = MathF.Exp(0.5f * logVariance[i]);
            float latent = (mean[i] + deviation * draws[0][i]) * 0.5f;
            Assert.Equal(latent + draws[1][i] * recipe.Schedule.Sigmas[2], loop.Latents(0)[i], 1e-5);
            Assert.Equal((mean[i] + deviation * draws[2][i]) * 2, denoiser.Input[Length + 16 + i], 1e-5);
        }

        loop.Run(null!, _ => { }, Cancellation);
        var expected = new StepHashes(1);
        expected.Take(1, draws[3], draws[3]);
        Assert.Equal(expected.All[1].Noise, loop.Hashes(0)[1].Noise);
    }

    [Fact]
    public void Run_OfAMeanAlone_DrawsNothingBeforeTheNoise()
    {
        float[] picture = Draw(3, 0);
        var distribution = LatentDistribution.OfEncoder([.. picture], Draw(4, 0), 1, null).Mean;
        SamplingRecipe recipe = Recipe(Request with { Dialect = SamplingDialect.Comfy }, new StepSpan(6, 6));
        using DenoisingLoop loop = Loop(recipe, new FakeDenoiser(recipe, 1, Length), new(InitialLatents.Encoded(distribution)));
        float[] noise = Draw(7, 0);
        // At the largest trained level, ComfyUI gives the noise the variance of noise and picture together.
        float scale = MathF.Sqrt(recipe.Schedule.Sigmas[0] * recipe.Schedule.Sigmas[0] + 1);
        for (int i = 0; i < Length; i++) Assert.Equal(picture[i] + noise[i] * scale, loop.Latents(0)[i], 1e-5);
    }

    [Fact]
    public void Run_OfNoSteps_LeavesThePictureAsItIs()
    {
        float[] picture = Draw(3, 0);
        foreach (SamplerName sampler in (SamplerName[])[SamplerName.Euler, SamplerName.DpmppSde])
        {
            SamplingRecipe recipe = Recipe(Request with { Sampler = sampler, Dialect = SamplingDialect.Comfy }, new StepSpan(6, 0));
            var denoiser = new FakeDenoiser(recipe, 1, Length);
            using DenoisingLoop loop = Loop(recipe, denoiser, new(InitialLatents.Encoded(picture)));
            loop.Run(null!, _ => Assert.Fail("No step runs."), Cancellation);
            Assert.Equal(picture, loop.Latents(0));
            Assert.Empty(denoiser.Started);
            Assert.Empty(loop.Clock.Times);
            Assert.Single(loop.Hashes(0));
            Assert.Empty(recipe.Conditions([0]).Skip(recipe.FirstEvaluation));
        }
    }

    [Theory]
    [InlineData(SamplingDialect.Comfy)]
    [InlineData(SamplingDialect.A1111)]
    public void Run_WithAMaskOfComfyOrA1111_EqualsADirectComputation(SamplingDialect dialect)
    {
        float[] picture = Draw(3, 0), noise = Draw(7, 0);
        SamplingRecipe recipe = Recipe(Request with { Dialect = dialect }, new StepSpan(6, 4));
        MaskBlending blending = LatentMask.BlendingOf(dialect, isInpaintingModel: true);
        var inputs = new DenoisingInputs(InitialLatents.Encoded(picture), new LatentMask(Weights, blending));
        using DenoisingLoop loop = Loop(recipe, new FakeDenoiser(recipe, 1, Length), inputs);
        loop.Run(null!, _ => { }, Cancellation);
        float[] sigmas = recipe.Schedule.Sigmas.ToArray();
        for (int i = 0; i < Length; i++)
        {
            float x = picture[i] + noise[i] * sigmas[2], m = Weights[i];
            for (int step = 2; step < 6; step++)
            {
                float sigma = sigmas[step];
                float seen = dialect == SamplingDialect.Comfy ? x * m + (picture[i] + sigma * noise[i]) * (1 - m) : x;
                float epsilon = FakeDenoiser.Predict(seen / MathF.Sqrt(sigma * sigma + 1), recipe.Schedule.Timesteps[step]);
                float denoised = (seen - sigma * epsilon) * m + picture[i] * (1 - m);
                x += (x - denoised) / sigma * (sigmas[step + 1] - sigma);
            }

            if (dialect == SamplingDialect.A1111) x = x * m + picture[i] * (1 - m);
            Assert.Equal(x, loop.Latents(0)[i], 1e-3);
            if (m == 0) Assert.Equal(picture[i], loop.Latents(0)[i], 1e-5);
        }
    }

    [Fact]
    public void Run_WithAMaskOfDiffusers_EqualsADirectComputation()
    {
        float[] picture = Draw(3, 0), noise = Draw(7, 0);
        SamplingRecipe recipe = Recipe(Request, new StepSpan(6, 4));
        var inputs = new DenoisingInputs(InitialLatents.Encoded(picture), new LatentMask(Weights, MaskBlending.Latents));
        using DenoisingLoop loop = Loop(recipe, new FakeDenoiser(recipe, 1, Length), inputs);
        loop.Run(null!, _ => { }, Cancellation);
        float[] sigmas = recipe.Schedule.Sigmas.ToArray();
        for (int i = 0; i < Length; i++)
        {
            float x = picture[i] + noise[i] * sigmas[2], m = Weights[i];
            for (int step = 2; step < 6; step++)
            {
                float epsilon = FakeDenoiser.Predict(x / MathF.Sqrt(sigmas[step] * sigmas[step] + 1), recipe.Schedule.Timesteps[step]);
                x += epsilon * (sigmas[step + 1] - sigmas[step]);
                x = (1 - m) * (picture[i] + noise[i] * sigmas[step + 1]) + m * x;
            }

            Assert.Equal(x, loop.Latents(0)[i], 1e-4);
        }
    }

    [Theory]
    [InlineData("euler")]
    [InlineData("euler_a")]
    [InlineData("heun")]
    public void Run_AtStrengthOneWithAFullMask_EqualsAPictureOfTheSameNoise(string sampler)
    {
        PictureRequest request = Request with { Sampler = new SamplerName(sampler) };
        SamplingRecipe recipe = Recipe(request, new StepSpan(6, 6));
        using DenoisingLoop alone = Loop(recipe, new FakeDenoiser(recipe, 1, Length), DenoisingInputs.FromNoise);
        alone.Run(null!, _ => { }, Cancellation);
        SamplingRecipe same = Recipe(request, new StepSpan(6, 6));
        float[] whole = [.. Enumerable.Repeat(1f, Length)];
        var start = InitialLatents.Encoded(LatentDistribution.Of(Draw(3, 0)), isNoiseAlone: true);
        var inputs = new DenoisingInputs(start, new LatentMask(whole, MaskBlending.Latents));
        using DenoisingLoop masked = Loop(same, new FakeDenoiser(same, 1, Length), inputs);
        masked.Run(null!, _ => { }, Cancellation);
        for (int i = 0; i < Length; i++) Assert.Equal(alone.Latents(0)[i], masked.Latents(0)[i], 1e-4);
    }

    [Theory]
    [InlineData(MaskedContent.Original, 0, 1)]
    [InlineData(MaskedContent.Fill, 0, 1)]
    [InlineData(MaskedContent.Noise, 1, 0)]
    [InlineData(MaskedContent.Nothing, 0, 0)]
    public void Begin_OfMaskedContent_ReplacesTheMaskedPart(MaskedContent content, float ofNoise, float ofPicture)
    {
        float[] picture = Draw(3, 0), noise = Draw(7, 0);
        SamplingRecipe recipe = Recipe(Request, new StepSpan(6, 3));
        var inputs = new DenoisingInputs(InitialLatents.Encoded(picture), new LatentMask(Weights, MaskBlending.Denoised, content));
        using DenoisingLoop loop = Loop(recipe, new FakeDenoiser(recipe, 1, Length), inputs);
        for (int i = 0; i < Length; i++)
        {
            float masked = ofNoise * noise[i] + ofPicture * picture[i];
            float begun = picture[i] * (1 - Weights[i]) + masked * Weights[i];
            Assert.Equal(begun + noise[i] * recipe.Schedule.Sigmas[3], loop.Latents(0)[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(SamplingDialect.Diffusers)]
    [InlineData(SamplingDialect.A1111)]
    [InlineData(SamplingDialect.Comfy)]
    public void Run_WithAMask_AllocatesNothingManaged(SamplingDialect dialect)
    {
        SamplingRecipe recipe = Recipe(Request with { Dialect = dialect, GuidanceScale = 7 }, new StepSpan(6, 5));
        MaskBlending blending = LatentMask.BlendingOf(dialect, isInpaintingModel: false);
        var inputs = new DenoisingInputs(InitialLatents.Encoded(Draw(3, 0)), new LatentMask(Weights, blending));
        long bytes = long.MaxValue;
        for (int i = 0; i < 3 && bytes > 0; i++)
        {
            using DenoisingLoop loop = Loop(recipe, new FakeDenoiser(recipe, 2, Length), inputs);
            loop.Run(null!, _ => { }, Cancellation);
            bytes = loop.Clock.ManagedBytes;
        }

        Assert.Equal(0, bytes);
    }

    [Fact]
    public void OfEncoder_ForPlayground_IsTheInverseOfItsFormat()
    {
        LatentFormat format = LatentFormat.Of(Model(PredictionType.Edm), PredictionType.Edm)!;
        float[] mean = Draw(3, 0), written = new float[Length], logVariance = [.. Enumerable.Repeat(-1f, Length)];
        var distribution = LatentDistribution.OfEncoder([.. mean], logVariance, 0.13025f, format);
        distribution.Write(new float[Length], written);
        float[] back = format.ToSdxl(written);
        for (int i = 0; i < Length; i++) Assert.Equal(mean[i] * 0.13025f, back[i], 1e-5);

        // (vae - mean) * 0.5 / deviation, so that a deviation of the encoder is multiplied by 0.5 / deviation.
        float[] one = [.. Enumerable.Repeat(1f, Length)], moved = new float[Length];
        distribution.Write(one, moved);
        Assert.Equal(MathF.Exp(-0.5f) * 0.5f / 8.4927f, moved[0] - written[0], 1e-5);
        Assert.Equal(MathF.Exp(-0.5f) * 0.5f / 5.2299f, moved[^1] - written[^1], 1e-5);
    }

    private static SamplingRecipe Recipe(PictureRequest request, StepSpan span) =>
        SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn, span: span);

    private static DenoisingLoop Loop(SamplingRecipe recipe, FakeDenoiser denoiser, DenoisingInputs inputs)
    {
        PictureNoise noise = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, 7);
        return new DenoisingLoop(recipe, [noise], BatchSlot.Alone, denoiser, inputs, null, HostBuffers.Allocate);
    }

    private static float[] Draw(ulong seed, int draw)
    {
        float[] drawn = new float[Length];
        var noise = new TorchCpuNoise(seed);
        for (int i = 0; i <= draw; i++) noise.Fill(drawn);
        return drawn;
    }

    private static ModelSpec Model(PredictionType prediction) => new()
    {
        InputChannels = 4,
        LatentChannels = 4,
        ClipLWidth = 1,
        ClipGWidth = 1,
        PooledWidth = 1,
        TextLength = 77,
        LatentScale = 0.13025f,
        Parameters = 0,
        Prediction = prediction,
    };
}
