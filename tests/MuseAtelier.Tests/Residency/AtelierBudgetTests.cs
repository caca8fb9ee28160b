using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

public sealed class AtelierBudgetTests(NarrowAtelier shared)
{
    private static readonly PictureRequest Request =
        new() { Prompt = "a starry night over the sea", Width = 256, Height = 320, Steps = 3, Seed = 5 };

    [Fact]
    public async Task Generate_WithSessionsThatTakeTurns_PaintsTheSamePicture()
    {
        await using Atelier rotating = await shared.OpenAsync(TestAtelier.Options with { Offload = OffloadMode.Rotate });
        Picture expected = await shared.ReferenceAsync(Request);
        for (int i = 0; i < 2; i++)
        {
            Picture picture = await rotating.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
            AssertNear(expected, picture);
        }
    }

    [Fact]
    public async Task Generate_CancelledWhileSessionsTakeTurns_PaintsTheNextPicture()
    {
        await using Atelier atelier = await shared.OpenAsync(TestAtelier.Options with { Offload = OffloadMode.Rotate });
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var progress = new Watch(report =>
        {
            if (report is { Phase: GenerationPhase.Denoising, Step: 1 }) cancellation.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => atelier.GenerateAsync(Request, progress, cancellation.Token));
        Picture first = await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
        Picture second = await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(first.Latents.ToArray(), second.Latents.ToArray());
    }

    [Fact]
    public async Task Generate_WithABudgetThatCannotBeKept_IsRefusedAndTheNextPictureWorks()
    {
        // Enough for a small picture of the Miniature, and for no large one.
        await using Atelier atelier = await shared.OpenAsync(TestAtelier.Options with { HostMemory = 1L << 30 });
        BudgetTooSmallException refusal = await Assert.ThrowsAsync<BudgetTooSmallException>(
            () => atelier.GenerateAsync(
                Request with { Width = 2048, Height = 2048 }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.True(refusal.LeastBytes > 1L << 30);
        await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Generate_WithABudgetForTilesAlone_DecodesInTiles()
    {
        // The smallest tile has 64 latents, 512 pixels, in a row. A byte too little for the whole is enough for two tiles.
        var large = Request with { Width = 768, Height = 256, Steps = 1 };
        long least = Assert.Throws<BudgetTooSmallException>(() => Atelier.Plan(
            shared.Atelier.Model.Package, TestAtelier.Options with { HostMemory = 1, VaeTiling = VaeTiling.Whole }, large)).LeastBytes;
        await using Atelier little = await shared.OpenAsync(TestAtelier.Options with { HostMemory = least - 1 });
        Picture whole = await shared.Atelier.GenerateAsync(large, cancellationToken: TestContext.Current.CancellationToken);
        Picture tiled = await little.GenerateAsync(large, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((true, false), (whole.Memory!.Plan.Decoding.IsWhole, tiled.Memory!.Plan.Decoding.IsWhole));
        Assert.NotEqual(whole.Pixels.ToArray(), tiled.Pixels.ToArray());
        Assert.Equal(whole.Latents.ToArray(), tiled.Latents.ToArray());
    }

    [Fact]
    public async Task Generate_OfTwoSizesAlternately_PlansEachOnce()
    {
        PictureRequest one = Request with { Steps = 1 }, other = one with { Height = 256 };
        await using Atelier atelier = await shared.OpenAsync(TestAtelier.Options);
        List<ResidencyPlan> plans = [];
        foreach (PictureRequest request in (PictureRequest[])[one, other, one, other])
        {
            Picture picture = await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
            plans.Add(picture.Memory!.Plan);
        }

        Assert.NotSame(plans[0], plans[1]);
        Assert.Same(plans[0], plans[2]);
        Assert.Same(plans[1], plans[3]);
    }

    [Fact]
    public async Task Generate_WithABudgetOfAnotherDevice_SaysThatItIsWithoutEffect()
    {
        await using Atelier atelier = await shared.OpenAsync(TestAtelier.Options with { DeviceMemory = 1 << 20 });
        Picture picture = await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["A processor paints: the budget of video memory is without effect."], picture.Notices);
        Assert.Empty((await shared.ReferenceAsync(Request)).Notices);
    }

    [Fact]
    public async Task Generate_WhereWeightsComeOtherwiseThanPlanned_GivesANotice()
    {
        await using Atelier atelier = await shared.OpenAsync(
            TestAtelier.Options with { Backend = new ShortBackend { WeightsNotice = "Pinned memory is short." } });
        Picture picture = await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotEmpty(picture.Notices);
        Assert.All(picture.Notices, notice => Assert.Equal("Pinned memory is short.", notice));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(0L, 0)]
    [InlineData(1L << 20, 1 << 20)]
    public async Task Generate_OnADeviceWhoseContextIsLargerThanItsProfileSays_CountsThat(long? context, long more)
    {
        await using Atelier atelier = await shared.OpenAsync(
            TestAtelier.Options with { Backend = new ShortBackend { ContextBytes = () => context } });
        Picture expected = await shared.ReferenceAsync(Request);
        Picture picture = await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(expected.Memory!.Plan.PeakBytes + more, picture.Memory!.Plan.PeakBytes);
    }

    [Fact]
    public async Task OpenAsync_WhereTheDeviceFails_LetsGoOfIt()
    {
        var backend = new ShortBackend { ContextBytes = () => throw new DeviceMemoryException("nothing is free") };
        await Assert.ThrowsAsync<DeviceMemoryException>(() => shared.OpenAsync(TestAtelier.Options with { Backend = backend }));
        Assert.Equal(0, backend.Devices);
    }

    private static void AssertNear(Picture expected, Picture actual)
    {
        // Kernels for sessions that stay and for those that take turns add in another order.
        double difference = expected.Latents.ToArray().Zip(actual.Latents.ToArray(), (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(difference, 0, 1e-3);
        Assert.True(expected.Pixels.ToArray().Zip(actual.Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max() <= 2);
    }

    private sealed class Watch(Action<GenerationProgress> action) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value) => action(value);
    }
}
