using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Samples.CustomSampler;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Pictures of the Miniature by every sampler, by a sampler of one's own, and by a model that predicts velocity.</summary>
public sealed class SamplerPictureTests(NarrowAtelier narrow) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Samplers => [.. SamplerCatalog.BuiltIn.Names.Select(name => name.Id)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Samplers))]
    public async Task GenerateAsync_OfEverySampler_IsNearItselfInABatch(string sampler)
    {
        PictureRequest request = Of(new SamplerName(sampler));
        Picture alone = await narrow.ReferenceAsync(request);
        SamplingRecipe recipe = SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn);
        Assert.Equal(
            [true, .. recipe.Evaluations.ToArray().Select(evaluation => evaluation.NoiseDraws > 0)],
            alone.Provenance.StepHashes.Select(step => step.Noise is not null));

        Assert.Equal(recipe.Evaluations.Length, alone.Timings.Steps.Count);
        Assert.Equal(recipe.Evaluations.Length, alone.Memory!.Plan.Request.Steps);

        Picture second = (await narrow.ReferencesAsync(request with { Seed = request.Seed - 1 }, 2, 2))[1];
        Assert.Equal(alone.Provenance.StepHashes[0], second.Provenance.StepHashes[0]);
        Assert.Equal(alone.Provenance.StepHashes.Select(step => step.Noise), second.Provenance.StepHashes.Select(step => step.Noise));
        Assert.True(Likeness.Psnr(alone.Pixels.Span, second.Pixels.Span) > 60);
        await Allocations.AssertNoneAsync(alone, () => narrow.Second.GenerateAsync(request, cancellationToken: Cancellation));
    }

    // One of each kind: noise in every step, two evaluations a step, earlier predictions, and a tree of noise.
    [Theory]
    [InlineData("euler_a")]
    [InlineData("heun")]
    [InlineData("uni_pc")]
    [InlineData("dpmpp_sde")]
    public async Task GenerateAsync_InItsPlaceOfABatch_GivesTheSameBytesAgain(string sampler)
    {
        PictureRequest request = Of(new SamplerName(sampler));
        Picture second = (await narrow.ReferencesAsync(request with { Seed = request.Seed - 1 }, 2, 2))[1];
        BatchSlot slot = second.Provenance.BatchSlot;
        Picture placed = await narrow.Second.GenerateAsync(second.Request, slot, cancellationToken: Cancellation);
        Assert.Equal(second.Provenance.StepHashes, placed.Provenance.StepHashes);
        Assert.Equal(second.Pixels.Span, placed.Pixels.Span);
    }

    [Fact]
    public async Task GenerateAsync_OfSeveralSamplers_PaintsDifferentPicturesFromOneStart()
    {
        List<Picture> pictures = [];
        foreach (SamplerName sampler in SamplerCatalog.BuiltIn.Names)
        {
            // In three steps these two are the same.
            bool needsAStepMore = sampler == SamplerName.Dpmpp2MSdeHeun || sampler == SamplerName.Dpmpp3MSde;
            PictureRequest request = Of(sampler);
            pictures.Add(await narrow.ReferenceAsync(needsAStepMore ? request with { Steps = 4 } : request));
        }

        // A sampler whose schedule leaves out a noise level begins at another one, with the same noise.
        Assert.Single(pictures.Select(picture => picture.Provenance.StepHashes[0].Noise).Distinct());
        Assert.Equal(pictures.Count, pictures.Select(picture => picture.Provenance.StepHashes[^1]).Distinct().Count());
    }

    [Fact]
    public async Task GenerateAsync_OfASamplerOfOnesOwn_CountsItsEvaluations()
    {
        await using Atelier atelier = await narrow.OpenAsync(CustomParts.Register(TestAtelier.Options));
        PictureRequest request = TestAtelier.Small with { Sampler = CustomParts.Ralston, NoiseSource = CustomParts.SplitMix };
        var reports = new Reports<GenerationProgress>();
        Picture picture = await atelier.GenerateAsync(request, reports, Cancellation);
        Assert.Equal(5, picture.Timings.Steps.Count);
        Assert.Equal(6, picture.Provenance.StepHashes.Count);
        Assert.Equal(5, picture.Memory!.Plan.Request.Steps);
        Assert.All(reports.All, report => Assert.Equal(5, report.Steps));
        Assert.Equal([1, 2, 3, 4, 5], reports.All.Where(report => report.Phase == GenerationPhase.Denoising).Select(report => report.Step));
        Picture other = await atelier.GenerateAsync(request with { NoiseSource = NoiseSource.Diffusers }, cancellationToken: Cancellation);
        Assert.NotEqual(other.Provenance.StepHashes[0], picture.Provenance.StepHashes[0]);
        await Allocations.AssertNoneAsync(picture, () => atelier.GenerateAsync(request, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task GenerateAsync_OfANameThatIsNotRegistered_IsRefusedBeforeTheQueue()
    {
        var reports = new Reports<GenerationProgress>();
        PictureRequest[] unknown =
        [
            TestAtelier.Small with { Sampler = CustomParts.Ralston },
            TestAtelier.Small with { NoiseSource = CustomParts.SplitMix },
        ];
        foreach (PictureRequest request in unknown)
        {
            await Assert.ThrowsAsync<RequestChoiceException>(() => narrow.Atelier.GenerateAsync(request, reports, Cancellation));
            Assert.Throws<RequestChoiceException>(() => narrow.Atelier.GenerateManyAsync(request, 2, null, reports, Cancellation));
            Assert.Throws<RequestChoiceException>(() => Atelier.Plan(NarrowAtelier.Checkpoint, TestAtelier.Options, request));
            Assert.Throws<RequestChoiceException>(() => PictureRequestException.ThrowIfUnpaintable(request));
            CustomParts.Register(TestAtelier.Options).ThrowIfUnpaintable(request);
        }

        Assert.Empty(reports.All);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GenerateAsync_OfAModelThatPredictsVelocity_ConvertsItsPrediction(bool zeroTerminalSnr)
    {
        // The network still predicts noise: what counts is that its output is taken for velocity.
        RawCheckpoint raw = RawCheckpoint.Narrow();
        raw.Set("v_pred", "F32", [0], []);
        if (zeroTerminalSnr) raw.Set("ztsnr", "F32", [0], []);
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"] };
        await using Atelier atelier = await Atelier.OpenAsync(
            raw.Write(_folder["velocity.safetensors"]), options, cancellationToken: Cancellation);
        PictureRequest request = TestAtelier.Small with
        {
            Steps = 1,
            GuidanceScale = 1,
            Sampler = SamplerName.Euler,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing },
        };
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Assert.Empty(picture.Notices);

        using OpenedModel model = OpenedModel.Open(atelier.Model.Package, options, null, Cancellation);
        Assert.Equal((PredictionType.Velocity, zeroTerminalSnr), (model.Model.Prediction, model.Model.ZeroTerminalSnr));
        using var prompts = new TextConditioner(model.Package, model.Sessions, model.Device);
        PromptChunks chunks = PreparedPrompt.Of(request.Prompt, "prompt").Chunks;
        PromptEmbeds embedding = prompts.Encode(chunks, model.Options, Cancellation);
        double s = TrainedSchedule.Of(model.Model).Sigmas[999];
        Assert.Equal(zeroTerminalSnr ? 4518.764 : 14.6146, s, 1e-2);
        float[] noise = new float[4 * 32 * 32];
        new TorchCpuNoise(request.Seed).Fill(noise);
        float[] input = [.. noise.Select(value => (float)(value * s / Math.Sqrt(s * s + 1)))];
        float[] velocity = model.Predict([embedding], [256, 256, 0, 0, 256, 256], 999, 32, 32, input.CopyTo).ToArray();
        float[] latents = picture.Latents.ToArray();
        for (int i = 0; i < latents.Length; i++)
        {
            double expected = noise[i] * s / (s * s + 1) - velocity[i] * s / Math.Sqrt(s * s + 1);
            Assert.Equal(expected, latents[i], 1e-3);
        }
    }

    // Without guidance, which no sampler sees, a picture takes half the time.
    private static PictureRequest Of(SamplerName sampler) => TestAtelier.Small with { Sampler = sampler, GuidanceScale = 1 };
}
