using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>Several pictures that are denoised in one batch.</summary>
public sealed class BatchTests(NarrowAtelier narrow)
{
    private static readonly PictureRequest Request = TestAtelier.Small with { NegativePrompt = "fog", Seed = ulong.MaxValue };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(7)]
    [InlineData(1)]
    public async Task GenerateManyAsync_OfThreeAtATime_PaintsToTheEyeWhatEachSeedGivesAlone(float guidanceScale)
    {
        PictureRequest request = Request with { GuidanceScale = guidanceScale };
        List<Picture> together = await narrow.ReferencesAsync(request, 3, 3);
        Assert.Equal([ulong.MaxValue, 0, 1], together.Select(picture => picture.Request.Seed));
        Assert.Equal(
            [new BatchSlot(3, 0), new BatchSlot(3, 1), new BatchSlot(3, 2)],
            together.Select(picture => picture.Provenance.BatchSlot));
        foreach (Picture picture in together)
        {
            Picture alone = await narrow.ReferenceAsync(picture.Request);
            Assert.Equal(alone.Provenance.StepHashes.Select(step => step.Noise), picture.Provenance.StepHashes.Select(step => step.Noise));
            Assert.Equal(alone.Provenance.StepHashes[0], picture.Provenance.StepHashes[0]);
            Assert.InRange(LargestDifference(alone, picture), 0, 1e-3);
            Assert.True(Likeness.Psnr(alone.Pixels.Span, picture.Pixels.Span) > 60);
            Assert.Equal(BatchSlot.Alone, alone.Provenance.BatchSlot);
        }

        Assert.True(Likeness.Psnr(together[0].Pixels.Span, together[1].Pixels.Span) < 30);
    }

    [Fact]
    public async Task GenerateAsync_InItsPlace_GivesTheBytesOfItsPass()
    {
        foreach (Picture picture in await narrow.ReferencesAsync(Request, 3, 3))
        {
            Picture again = await narrow.Atelier.GenerateAsync(
                picture.Request, picture.Provenance.BatchSlot, cancellationToken: Cancellation);
            Assert.Equal(picture.Provenance.BatchSlot, again.Provenance.BatchSlot);
            Assert.Equal(picture.Provenance.StepHashes, again.Provenance.StepHashes);
            Assert.Equal(picture.Pixels.Span, again.Pixels.Span);
        }
    }

    [Fact]
    public async Task GenerateManyAsync_OfMoreThanAPass_PaintsTheRestInASmallerOne()
    {
        List<Picture> pictures = await PaintAsync(Request, 3, 2);
        Assert.Equal([ulong.MaxValue, 0, 1], pictures.Select(picture => picture.Request.Seed));
        Assert.Equal([new BatchSlot(2, 0), new BatchSlot(2, 1), BatchSlot.Alone], pictures.Select(picture => picture.Provenance.BatchSlot));
        Picture alone = await narrow.ReferenceAsync(Request with { Seed = 1 });
        Assert.Equal(alone.Pixels.Span, pictures[2].Pixels.Span);
        Assert.Empty(await PaintAsync(Request, 0, 2));
    }

    [Fact]
    public async Task GenerateManyAsync_OneAtATime_GivesTheBytesOfEachSeed()
    {
        List<Picture> pictures = await PaintAsync(Request, 2, 1);
        Assert.Equal([BatchSlot.Alone, BatchSlot.Alone], pictures.Select(picture => picture.Provenance.BatchSlot));
        Picture alone = await narrow.ReferenceAsync(Request with { Seed = 0 });
        Assert.Equal(alone.Pixels.Span, pictures[1].Pixels.Span);
    }

    [Fact]
    public async Task GenerateManyAsync_AgainAndAgain_AllocatesNothingManagedInItsSteps()
    {
        PictureRequest request = Request with { NoiseSource = NoiseSource.A1111 };
        // The pictures of a batch share their steps, so one of them stands for both.
        await Allocations.AssertNoneAsync((await PaintAsync(request, 2, 2))[^1], async () => (await PaintAsync(request, 2, 2))[^1]);
    }

    [Fact]
    public async Task GenerateManyAsync_WithProgress_TellsWhichPicturesItIsAbout()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Previews = true });
        var reports = new Reports<GenerationProgress>();
        await foreach (Picture picture in atelier.GenerateManyAsync(Request with { Steps = 1 }, 3, 2, reports, Cancellation))
            Assert.Single(picture.Timings.Steps);
        Assert.Equal(
            [
                (GenerationPhase.Queued, 0, 1), (GenerationPhase.Encoding, 0, 2), (GenerationPhase.Denoising, 0, 2),
                (GenerationPhase.Decoding, 0, 1), (GenerationPhase.Done, 0, 1),
                (GenerationPhase.Decoding, 1, 1), (GenerationPhase.Done, 1, 1),
                (GenerationPhase.Queued, 2, 1), (GenerationPhase.Encoding, 2, 1), (GenerationPhase.Denoising, 2, 1),
                (GenerationPhase.Decoding, 2, 1), (GenerationPhase.Done, 2, 1),
            ],
            reports.All.Select(report => (report.Phase, report.Picture, report.Pictures)));
        Assert.Equal(
            [(64, 32, 2), (32, 32, 1)],
            reports.All.Where(report => report.Phase == GenerationPhase.Denoising)
                .Select(report => (report.Preview!.Width, report.Preview.Height, report.Preview.Columns)));
    }

    [Fact]
    public async Task GenerateManyAsync_CancelledWithinAStep_StopsInItAndPaintsAgain()
    {
        // Large enough that one step takes far longer than the wait.
        PictureRequest large = Request with { Width = 768, Height = 768, Steps = 50 };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var reports = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Denoising, Step: 1 }) cancellation.CancelAfter(20);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (Picture picture in narrow.Atelier.GenerateManyAsync(large, 2, 2, reports, cancellation.Token))
                Assert.Fail("None can be finished.");
        });
        Assert.Equal(1, reports.All[^1].Step);
        Assert.Equal(2, (await PaintAsync(Request, 2, 2)).Count);
    }

    [Fact]
    public async Task GenerateManyAsync_CancelledInTheQueue_NeverBegins()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var reports = new Reports<GenerationProgress>();
        using var isQueued = new ManualResetEventSlim();
        // The picture before it cancels the request, but not before the request waits in the queue.
        var first = new Reports<GenerationProgress>(report =>
        {
            if (report is not { Phase: GenerationPhase.Denoising, Step: 1 }) return;
            isQueued.Wait(Cancellation);
            cancellation.Cancel();
        });
        Task<Picture> before = narrow.Atelier.GenerateAsync(Request, first, Cancellation);
        IAsyncEnumerable<Picture> pictures = narrow.Atelier.GenerateManyAsync(Request, 2, 2, reports, cancellation.Token);
        await using IAsyncEnumerator<Picture> enumerator = pictures.GetAsyncEnumerator(Cancellation);
        ValueTask<bool> next = enumerator.MoveNextAsync();
        isQueued.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(next.AsTask);
        await before;
        // One report, or two where the picture before it still waited as well.
        Assert.NotEmpty(reports.All);
        Assert.All(reports.All, report => Assert.Equal(GenerationPhase.Queued, report.Phase));
    }

    [Fact]
    public async Task GenerateManyAsync_LeftAfterTheFirst_PaintsNoMore()
    {
        using var isLeft = new ManualResetEventSlim();
        // The second picture waits until the caller has left. If the third begins, the engine has not heard of it yet: that one waits long.
        var reports = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Decoding, Picture: 1 }) isLeft.Wait(Cancellation);
            if (report is { Phase: GenerationPhase.Decoding, Picture: > 1 }) Thread.Sleep(5000);
        });
        IAsyncEnumerator<Picture> pictures =
            narrow.Atelier.GenerateManyAsync(Request, 6, 4, reports, Cancellation).GetAsyncEnumerator(Cancellation);
        Assert.True(await pictures.MoveNextAsync());
        ValueTask leaving = pictures.DisposeAsync();
        isLeft.Set();
        await leaving;
        int told = reports.All.Count;
        // The engine may have begun the next picture, but must finish neither the batch nor the series.
        Assert.DoesNotContain(reports.All, report => report.Picture > 3 || report is { Phase: GenerationPhase.Done, Picture: 3 });
        await narrow.Atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        Assert.Equal(told, reports.All.Count);
    }

    [Fact]
    public async Task GenerateManyAsync_OfWhatCannotBe_IsRefusedAtOnce()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => narrow.Atelier.GenerateManyAsync(Request, -1, cancellationToken: Cancellation));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            narrow.Atelier.GenerateManyAsync(Request, 9, 0, cancellationToken: Cancellation));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            narrow.Atelier.GenerateManyAsync(Request, 9, BatchSlot.LargestBatch + 1, cancellationToken: Cancellation));
        Assert.Throws<StepCountException>(() =>
            narrow.Atelier.GenerateManyAsync(Request with { Steps = 0 }, 2, cancellationToken: Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            narrow.Atelier.GenerateAsync(Request, new BatchSlot(2, 2), cancellationToken: Cancellation));
    }

    [Fact]
    public async Task GenerateManyAsync_WithSessionsThatTakeTurns_PaintsThemTogether()
    {
        await using Atelier turning = await narrow.OpenAsync(TestAtelier.Options with { Offload = OffloadMode.Rotate });
        List<Picture> expected = await narrow.ReferencesAsync(Request, 2, 2), pictures = await PaintAsync(Request, 2, 2, turning);
        Assert.All(expected.Zip(pictures), pair => Assert.InRange(LargestDifference(pair.First, pair.Second), 0, 1e-3));
        Picture again = await turning.GenerateAsync(pictures[1].Request, pictures[1].Provenance.BatchSlot, cancellationToken: Cancellation);
        Assert.Equal(pictures[1].Pixels.Span, again.Pixels.Span);
    }

    private static double LargestDifference(Picture first, Picture second) =>
        first.Latents.ToArray().Zip(second.Latents.ToArray(), (a, b) => Math.Abs(a - b)).Max();

    private async Task<List<Picture>> PaintAsync(PictureRequest request, int count, int? together, Atelier? atelier = null)
    {
        List<Picture> pictures = [];
        atelier ??= narrow.Atelier;
        await foreach (Picture picture in atelier.GenerateManyAsync(request, count, together, cancellationToken: Cancellation))
            pictures.Add(picture);
        return pictures;
    }
}
