using MuseAtelier.Tests.Support;

namespace MuseAtelier.Cuda.Tests;

/// <summary>
/// Pictures on the card whose steps differ in guidance or prompts, whose prompts have several parts, and whose prompts are long.
/// </summary>
public sealed class PromptsOverStepsTests
{
    private static readonly string Long = string.Join(", ", Enumerable.Repeat("swirling stars over a quiet city by the sea", 31));

    // Enough steps that both row counts are captured and replayed.
    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse", NegativePrompt = "fog", Width = 256, Height = 256, Steps = 10, Seed = 3 };

    private static readonly string[] Cases = ["interval", "twice a step", "parts", "edited", "alternating", "all", "long"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_InEveryRunAndMode_GivesTheSameBytesWithinThePlan()
    {
        CudaRig.Require();
        Dictionary<string, Picture> expected;
        await using (Atelier atelier = await Open(OffloadMode.Auto))
        {
            expected = await PaintAll(atelier);
            foreach (string name in Cases)
            {
                Assert.True(expected[name].Memory!.Plan.CapturesSteps, name);
                // Pictures of other row counts and sets were painted between.
                AssertSame(expected[name], await Paint(atelier, Of(name)), $"{name}, second run");
                Picture again = await Paint(atelier, Of(name));
                AssertSame(expected[name], again, $"{name}, third run");
                Assert.Equal(0, again.Timings.DenoisingManagedBytes);
            }
        }

        await using (Atelier plain = await Open(OffloadMode.Auto, new CudaOptions { CaptureSteps = false }))
            AssertSame(expected, await PaintAll(plain), "without captures");
        await using (Atelier streaming = await Open(OffloadMode.Stream))
            for (int run = 0; run < 2; run++) AssertSame(expected, await PaintAll(streaming), "streamed");

        // Sessions that run once are made with fewer of ONNX Runtime's own fusions, so sums may round otherwise.
        await using Atelier rotating = await Open(OffloadMode.Rotate);
        Dictionary<string, Picture> first = await PaintAll(rotating);
        AssertSame(first, await PaintAll(rotating), "with rotating sessions");
        foreach (string name in Cases)
            Assert.InRange(CudaRig.RelativeError(first[name].Latents.Span, expected[name].Latents.Span), 0, 2e-2);
    }

    [Theory]
    [InlineData("interval")]
    [InlineData("all")]
    [InlineData("long")]
    public async Task GenerateAsync_WithinTheLeastBudget_GivesTheSameLatents(string name)
    {
        CudaRig.Require();
        PictureRequest request = Of(name);
        AtelierOptions streaming = Options() with { Offload = OffloadMode.Stream };
        Picture expected;
        await using (Atelier plenty = await Atelier.OpenAsync(CudaRig.Checkpoint, Options(), cancellationToken: Cancellation))
            expected = await Paint(plenty, request);
        // The least budget includes what earlier engines of this process left on the card, so that an open engine must say it.
        BudgetTooSmallException tooSmall;
        await using (Atelier none = await Atelier.OpenAsync(
            CudaRig.Checkpoint, streaming with { DeviceMemory = 1 }, cancellationToken: Cancellation))
            tooSmall = await Assert.ThrowsAsync<BudgetTooSmallException>(() => Paint(none, request));
        long budget = tooSmall.LeastBytes + (128L << 20);
        await using Atelier little = await Atelier.OpenAsync(
            CudaRig.Checkpoint, streaming with { DeviceMemory = budget }, cancellationToken: Cancellation);
        for (int run = 0; run < 2; run++)
        {
            Picture picture = await Paint(little, request);
            Assert.Equal(expected.Latents.ToArray(), picture.Latents.ToArray());
            Assert.True(picture.Memory!.Plan.PeakBytes <= budget);
        }
    }

    [Fact]
    public async Task GenerateManyAsync_OfTwoAtATime_GivesBytesThatTheirSlotsGiveAgain()
    {
        CudaRig.Require();
        await using Atelier atelier = await Open(OffloadMode.Auto);
        foreach (string name in Cases)
        {
            List<Picture> pictures = [];
            await foreach (Picture picture in atelier.GenerateManyAsync(Of(name), 2, 2, cancellationToken: Cancellation))
                pictures.Add(picture);
            foreach (Picture picture in pictures)
            {
                Picture again = await atelier.GenerateAsync(picture.Request, picture.Provenance.BatchSlot, cancellationToken: Cancellation);
                AssertSame(picture, again, $"{name}, in its slot");
            }

            Picture alone = await Paint(atelier, pictures[1].Request);
            Assert.True(CudaRig.RelativeError(alone.Latents.Span, pictures[1].Latents.Span) < 0.1, name);
        }
    }

    [Fact]
    public async Task GenerateAsync_CancelledInAnyStep_PaintsTheNextPicture()
    {
        CudaRig.Require();
        await using Atelier atelier = await Open(OffloadMode.Auto);
        PictureRequest request = Of("all");
        Picture expected = await Paint(atelier, request);
        for (int step = 1; step < 8; step += 2)
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var progress = new Stopper(step, cancellation);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => atelier.GenerateAsync(request, progress, cancellation.Token));
            AssertSame(expected, await Paint(atelier, request), $"after step {step}");
        }
    }

    private static PictureRequest Of(string name) => name switch
    {
        "interval" => Request with { GuidanceFrom = 0.3f, GuidanceTo = 0.7f },
        "twice a step" => Request with { GuidanceTo = 0.5f, Sampler = SamplerName.Heun },
        "parts" => Request with { Prompt = "a lighthouse AND a cypress:0.6", GuidanceFrom = 0.3f },
        "edited" => Request with { Prompt = "[a lighthouse:sunflowers in a vase:0.5]" },
        "alternating" => Request with { Prompt = "[a lighthouse|sunflowers in a vase]", GuidanceTo = 0.6f },
        "all" => Request with { Prompt = "[a lighthouse|sunflowers in a vase] AND [a cypress|a cathedral]:0.6" },
        "long" => Request with { Prompt = Long, GuidanceFrom = 0.3f },
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static AtelierOptions Options(CudaOptions? options = null) =>
        CudaRig.Options(options) with { WatchMemory = true };

    private static Task<Atelier> Open(OffloadMode offload, CudaOptions? options = null) =>
        Atelier.OpenAsync(CudaRig.Checkpoint, Options(options) with { Offload = offload }, cancellationToken: Cancellation);

    private static async Task<Dictionary<string, Picture>> PaintAll(Atelier atelier)
    {
        Dictionary<string, Picture> pictures = [];
        foreach (string name in Cases) pictures[name] = await Paint(atelier, Of(name));
        return pictures;
    }

    private static async Task<Picture> Paint(Atelier atelier, PictureRequest request)
    {
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        PictureMemory memory = picture.Memory!;
        Assert.True(
            memory.PeakBytes is null || memory.PeakBytes <= memory.Plan.PeakBytes,
            $"{memory.PeakBytes} bytes where {memory.Plan.PeakBytes} were planned");
        return picture;
    }

    private static void AssertSame(Dictionary<string, Picture> expected, Dictionary<string, Picture> pictures, string how)
    {
        foreach (string name in Cases) AssertSame(expected[name], pictures[name], $"{name}, {how}");
    }

    private static void AssertSame(Picture expected, Picture picture, string how)
    {
        Assert.True(expected.Provenance.StepHashes.SequenceEqual(picture.Provenance.StepHashes), $"{how}: other latents");
        Assert.True(expected.Pixels.Span.SequenceEqual(picture.Pixels.Span), $"{how}: other bytes");
    }

    private sealed class Stopper(int step, CancellationTokenSource cancellation) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
            if (value.Phase == GenerationPhase.Denoising && value.Step == step) cancellation.Cancel();
        }
    }
}
