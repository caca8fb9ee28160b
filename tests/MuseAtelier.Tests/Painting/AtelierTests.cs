using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class AtelierTests(NarrowAtelier narrow)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_OfOneRequest_GivesTheSameBytesAgainAndOthersForAnotherSeed()
    {
        Picture first = await narrow.ReferenceAsync(TestAtelier.Small);
        Picture second = await Paint(TestAtelier.Small);
        Picture other = await Paint(TestAtelier.Small with { Seed = 8 });
        Assert.Equal(first.Pixels.Span, second.Pixels.Span);
        Assert.Equal(first.Latents.Span, second.Latents.Span);
        Assert.True(Likeness.Psnr(first.Pixels.Span, other.Pixels.Span) < 30);
        Assert.Equal(4 * 32 * 32, first.Latents.Length);
    }

    [Fact]
    public async Task GenerateAsync_OfOneRequestFiveTimes_GivesTheSameBytesEachTime()
    {
        PictureRequest request = TestAtelier.Small with { Steps = 2, Frame = new PictureFrame(FrameStyle.Gilded) };
        Picture first = await Paint(request);
        for (int run = 2; run <= 5; run++)
        {
            // Another picture between: what it leaves behind must not show.
            if (run == 3) await Paint(TestAtelier.Small with { Steps = 1, Width = 264, Seed = 9 });
            Picture again = await Paint(request);
            Assert.Equal(first.Provenance.StepHashes, again.Provenance.StepHashes);
            Assert.True(first.Pixels.Span.SequenceEqual(again.Pixels.Span), $"run {run} gives other bytes");
        }
    }

    [Theory]
    [InlineData(264, 328)]
    [InlineData(376, 256)]
    [InlineData(256, 520)]
    public async Task GenerateAsync_OfASizeThatNoLevelDividesEvenly_Paints(int width, int height)
    {
        Picture picture = await Paint(TestAtelier.Small with { Width = width, Height = height });
        Assert.Equal((width, height, width * height * 3), (picture.Width, picture.Height, picture.Pixels.Length));
        Assert.InRange(Likeness.Contrast(picture.Pixels.Span), 15, 120);
        // A UNet that is misled by the size predicts something unlike the noise, and a notice says so.
        Assert.Empty(picture.Notices);
        await Allocations.AssertNoneAsync(picture, () => Paint(TestAtelier.Small with { Width = width, Height = height }));
    }

    [Fact]
    public async Task GenerateAsync_WithoutGuidance_RunsWithoutTheNegativeHalf()
    {
        string endless = string.Concat(Enumerable.Repeat("blurry, ", 200));
        PictureRequest unguided = TestAtelier.Small with { GuidanceScale = 1, PromptSyntax = PromptSyntax.Plain };
        Picture alone = await Paint(unguided), withNegative = await Paint(unguided with { NegativePrompt = endless });
        Assert.Equal(alone.Pixels.Span, withNegative.Pixels.Span);
        // A negative prompt that is not encoded is not cut either.
        Assert.Empty(withNegative.Notices);
        Picture barely = await Paint(unguided with { NegativePrompt = endless, GuidanceScale = 1.0001f });
        Assert.Contains("negative prompt", Assert.Single(barely.Notices), StringComparison.Ordinal);
        // The pair's second half must give what the single pass gives.
        Assert.True(Likeness.Psnr(alone.Pixels.Span, barely.Pixels.Span) > 50);
    }

    [Fact]
    public async Task GenerateAsync_OfAnOverlongPrompt_SaysWhatWasCut()
    {
        Picture picture = await Paint(TestAtelier.Small with
        {
            Prompt = string.Join(' ', Enumerable.Repeat("word", 10_000)),
            PromptSyntax = PromptSyntax.Plain,
        });
        Assert.Contains(
            "The prompt has 9925 tokens more than the 75 that the model reads; cut off: word word", Assert.Single(picture.Notices),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task GenerateAsync_OfAnEmptyNegative_TellsEncodedFromZeros()
    {
        Picture encoded = await narrow.ReferenceAsync(TestAtelier.Small);
        Picture zeros = await Paint(TestAtelier.Small with { EmptyNegative = EmptyNegative.Zeros });
        Assert.True(Likeness.Psnr(encoded.Pixels.Span, zeros.Pixels.Span) < 45);
    }

    [Fact]
    public async Task GenerateAsync_OfEachSchedule_PaintsAnotherPictureWithoutNoise()
    {
        NoiseSchedule[] schedules =
        [
            new(),
            new() { Spacing = TimestepSpacing.Trailing },
            new() { Spacing = TimestepSpacing.Linspace },
            new() { Karras = true },
        ];
        List<Picture> pictures = [];
        foreach (NoiseSchedule schedule in schedules)
        {
            Picture picture = await narrow.ReferenceAsync(TestAtelier.Small with { Schedule = schedule });
            Assert.All(pictures, other => Assert.True(Likeness.Psnr(other.Pixels.Span, picture.Pixels.Span) < 40, schedule.ToString()));
            Assert.InRange(Likeness.Contrast(picture.Pixels.Span), 15, 120);
            // Timesteps that do not fit the sigmas make the UNet predict something unlike the noise, and a notice says so.
            Assert.Empty(picture.Notices);
            pictures.Add(picture);
        }
    }

    [Fact]
    public async Task GenerateAsync_WithALongPreviewInterval_ShowsTheFirstStepAlone()
    {
        AtelierOptions options = TestAtelier.Options with { Previews = true, PreviewInterval = TimeSpan.FromHours(1) };
        await using Atelier atelier = await narrow.OpenAsync(options);
        var reports = new Reports<GenerationProgress>();
        using Picture picture = await atelier.GenerateAsync(TestAtelier.Small with { Steps = 2 }, reports, Cancellation);
        Assert.Equal(1, Assert.Single(reports.All, report => report.Preview is not null).Step);
    }

    [Fact]
    public async Task GenerateAsync_WithProgress_TellsEveryStepInOrder()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Previews = true });
        byte[]? last = null;
        var reports = new Reports<GenerationProgress>(report => last = report.Preview?.Pixels.ToArray() ?? last);
        Picture picture = await atelier.GenerateAsync(TestAtelier.Small, reports, Cancellation);
        Assert.Equal(
            [(GenerationPhase.Queued, 0), (GenerationPhase.Encoding, 0), (GenerationPhase.Denoising, 1), (GenerationPhase.Denoising, 2),
                (GenerationPhase.Denoising, 3), (GenerationPhase.Decoding, 3), (GenerationPhase.Done, 3)],
            reports.All.Select(report => (report.Phase, report.Step)));
        Assert.All(reports.All, report => Assert.Equal(report.Phase == GenerationPhase.Denoising, report.Preview is not null));
        Assert.Equal(32 * 32 * 3, last!.Length);
        // Tables that are built at their first use are there by now.
        Picture next = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await Allocations.AssertNoneAsync(next, () => atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        Assert.Equal(picture.Pixels.Span, next.Pixels.Span);
    }

    [Fact]
    public async Task GenerateAsync_CancelledWithinAStep_StopsInItAndPaintsAgain()
    {
        // Large enough that a step outlasts the wait by far.
        PictureRequest large = TestAtelier.Small with { Width = 1024, Height = 768, Steps = 50 };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var reports = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Denoising, Step: 1 }) cancellation.CancelAfter(20);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => narrow.Atelier.GenerateAsync(large, reports, cancellation.Token));
        Assert.Equal(1, reports.All[^1].Step);
        Assert.InRange(Likeness.Contrast((await Paint(TestAtelier.Small)).Pixels.Span), 15, 120);
    }

    [Fact]
    public async Task GenerateAsync_CancelledInTheQueue_NeverBegins()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var reports = new Reports<GenerationProgress>();
        using var isQueued = new ManualResetEventSlim();
        // The first picture is not finished before the second request is cancelled.
        var held = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Denoising) isQueued.Wait(Cancellation);
        });
        Task<Picture> first = narrow.Atelier.GenerateAsync(TestAtelier.Small, held, Cancellation);
        Task<Picture> second = narrow.Atelier.GenerateAsync(TestAtelier.Small, reports, cancellation.Token);
        await cancellation.CancelAsync();
        isQueued.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await first;
        Assert.All(reports.All, report => Assert.Equal(GenerationPhase.Queued, report.Phase));
    }

    [Fact]
    public async Task GenerateAsync_TwiceAtOnce_PaintsBothAsIfAlone()
    {
        PictureRequest wide = TestAtelier.Small with { Width = 320, Seed = 11 };
        Picture[] together = await Task.WhenAll(Paint(TestAtelier.Small), Paint(wide), Paint(TestAtelier.Small));
        Picture alone = await Paint(wide);
        Assert.Equal(together[0].Pixels.Span, together[2].Pixels.Span);
        Assert.Equal(alone.Pixels.Span, together[1].Pixels.Span);
    }

    [Fact]
    public async Task OpenAsync_OfAMissingModel_ThrowsWithItsPath()
    {
        MuseAtelierException exception = await Assert.ThrowsAnyAsync<MuseAtelierException>(() =>
            Atelier.OpenAsync("/no/such/file.safetensors", TestAtelier.Options, cancellationToken: Cancellation));
        Assert.Contains("/no/such/file.safetensors", exception.Found, StringComparison.Ordinal);
    }

    private Task<Picture> Paint(PictureRequest request) => narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
}
