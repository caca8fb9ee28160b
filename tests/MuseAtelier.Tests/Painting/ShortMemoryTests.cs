using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>What becomes of a pass when the device's memory runs out in it.</summary>
public sealed class ShortMemoryTests(NarrowAtelier narrow)
{
    private static readonly PictureRequest Request = TestAtelier.Small with { Steps = 2 };

    private readonly ShortBackend _memory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateManyAsync_WithoutMemoryForABatch_PaintsOneAtATimeWithANotice()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Backend = _memory });
        await PaintAsync(atelier, 1, null);
        long alone = _memory.Most;
        await PaintAsync(atelier, 4, null);
        Assert.True(_memory.Most > alone * 3 / 2);

        _memory.Limit = (alone + _memory.Most) / 2;
        List<Picture> pictures = await PaintAsync(atelier, 4, null);
        Assert.Equal([7, 8, 9, 10], pictures.Select(picture => (int)picture.Request.Seed));
        Assert.All(pictures, picture =>
        {
            Assert.Equal(BatchSlot.Alone, picture.Provenance.BatchSlot);
            Assert.Matches("^The device's memory ran out .*; painted within .*, one picture at a time\\.$", Assert.Single(picture.Notices));
        });
        Picture single = await narrow.ReferenceAsync(pictures[3].Request);
        Assert.Equal(single.Pixels.Span, pictures[3].Pixels.Span);

        // A picture that has to have its place's numbers cannot do with fewer rows; the next pass is planned as ever.
        await Assert.ThrowsAsync<DeviceMemoryException>(() =>
            atelier.GenerateAsync(Request, new BatchSlot(4, 0), cancellationToken: Cancellation));
        _memory.Limit = long.MaxValue;
        pictures = await PaintAsync(atelier, 4, null);
        Assert.All(pictures, picture => Assert.Empty(picture.Notices));
        Assert.Equal(new BatchSlot(4, 3), pictures[3].Provenance.BatchSlot);
    }

    [Fact]
    public async Task GenerateManyAsync_WithoutMemoryBehindThePassesFirstPicture_PaintsTheOthersAgainAlone()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Backend = _memory });
        var progress = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Done, Picture: 0 }) _memory.Limit = 0;
            if (report is { Phase: GenerationPhase.Encoding, Picture: 1 }) _memory.Limit = long.MaxValue;
        });
        List<Picture> pictures = await PaintAsync(atelier, 3, progress);
        Assert.Equal([7, 8, 9], pictures.Select(picture => (int)picture.Request.Seed));
        Assert.Equal(new BatchSlot(3, 0), pictures[0].Provenance.BatchSlot);
        Assert.Empty(pictures[0].Notices);
        Assert.All(pictures.Skip(1), picture =>
            Assert.StartsWith("The device's memory ran out", Assert.Single(picture.Notices), StringComparison.Ordinal));
    }

    [Fact]
    public async Task DisposeAsync_AfterPassesOfAllSizes_GivesEverythingBack()
    {
        await using (Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Backend = _memory }))
        {
            await PaintAsync(atelier, 3, null);
            await PaintAsync(atelier, 2, null);
            Assert.True(_memory.Taken > 0);
        }

        Assert.Equal(0, _memory.Taken);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GenerateAsync_OfAnotherSize_KeepsWorkingMemoryOnlyWhereTheBudgetHasRoomForBoth(bool isTight)
    {
        AtelierOptions options = TestAtelier.Options with { Backend = _memory };
        PictureRequest large = Request with { Width = 320, Height = 320 };
        ResidencyPlan plan = Atelier.Plan(narrow.Atelier.Model.Package, options, large);
        Assert.True(plan.KeepsArena);
        await using Atelier atelier = await narrow.OpenAsync(
            options with { HostMemory = isTight ? plan.PeakBytes : 2 * plan.PeakBytes });
        await atelier.GenerateAsync(large, cancellationToken: Cancellation);
        int sessions = _memory.Sessions;
        await atelier.GenerateAsync(large with { Steps = 1 }, cancellationToken: Cancellation);
        Assert.Equal(sessions, _memory.Sessions);

        // These sessions have their working memory by themselves, and it goes with them.
        Picture small = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);

        Assert.Equal(isTight, _memory.Sessions > sessions);
        Assert.Equal((await narrow.ReferenceAsync(Request)).Pixels.Span, small.Pixels.Span);
    }

    private static async Task<List<Picture>> PaintAsync(Atelier atelier, int count, IProgress<GenerationProgress>? progress)
    {
        List<Picture> pictures = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(Request, count, count, progress, Cancellation)) pictures.Add(picture);
        return pictures;
    }
}
