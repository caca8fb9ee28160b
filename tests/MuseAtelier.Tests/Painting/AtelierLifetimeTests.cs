using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class AtelierLifetimeTests(TestAtelier miniature)
{
    private static readonly PictureRequest Long = TestAtelier.Small with { Steps = 1000 };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_CancelledBehindALongPicture_EndsWhileThatStillPaints()
    {
        await using Atelier atelier = await miniature.OpenAsync(TestAtelier.Options);
        Task<Picture> painting = await BeginAsync(atelier);
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<Picture> queued = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued.WaitAsync(Patience, Cancellation));
        Assert.False(painting.IsCompleted);
    }

    [Fact]
    public async Task DisposeAsync_WithFiftyQueued_StopsThePictureAndCancelsTheQueue()
    {
        Atelier atelier = await miniature.OpenAsync(TestAtelier.Options);
        Task<Picture> painting = await BeginAsync(atelier);
        Task<Picture>[] queued = [.. Enumerable.Range(0, 50).Select(_ => atelier.GenerateAsync(Long, cancellationToken: Cancellation))];
        await atelier.DisposeAsync().AsTask().WaitAsync(Patience, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => painting);
        foreach (Task<Picture> picture in queued) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => picture);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        await atelier.DisposeAsync();
    }

    [Fact]
    public async Task DrainAsync_WhilePainting_FinishesWhatWasAskedForAndRefusesTheNext()
    {
        Atelier atelier = await miniature.OpenAsync(TestAtelier.Options);
        Task<Picture> first = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Task<Picture> second = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await atelier.DrainAsync();
        Assert.True(first.IsCompletedSuccessfully);
        Assert.True(second.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        await atelier.DisposeAsync();
    }

    // The queue is closed before the engine is disposed: a request cannot slip in between.
    [Fact]
    public async Task GenerateAsync_HeldUpByItsSinkWhileTheAtelierIsDisposed_Throws()
    {
        Atelier atelier = await miniature.OpenAsync(TestAtelier.Options);
        using var reached = new ManualResetEventSlim(false);
        using var release = new ManualResetEventSlim(false);
        var sink = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase != GenerationPhase.Queued) return;
            reached.Set();
            release.Wait(Cancellation);
        });
        Task<Picture> late = Task.Run(() => atelier.GenerateAsync(TestAtelier.Small, sink, Cancellation));
        reached.Wait(Cancellation);
        await atelier.DisposeAsync();
        release.Set();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => late);
    }

    [Fact]
    public async Task GenerateAsync_WithASinkThatThrows_FailsThatRequestAlone()
    {
        var sink = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Denoising, Step: 2 }) throw new InvalidOperationException("sink");
        });
        Picture before = await miniature.ReferenceAsync(TestAtelier.Small);
        await Assert.ThrowsAsync<InvalidOperationException>(() => miniature.Atelier.GenerateAsync(TestAtelier.Small, sink, Cancellation));
        Picture after = await miniature.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal(before.Pixels.Span, after.Pixels.Span);
    }

    [Fact]
    public async Task GenerateAsync_OfTwoCallers_TellsEachSinkInItsCallersContext()
    {
        var local = new AsyncLocal<string>();
        await Task.WhenAll(Paint("first"), Paint("second"));

        async Task Paint(string caller)
        {
            local.Value = caller;
            List<string?> seen = [];
            await miniature.Atelier.GenerateAsync(
                TestAtelier.Small, new Reports<GenerationProgress>(_ => seen.Add(local.Value)), Cancellation);
            Assert.All(seen, value => Assert.Equal(caller, value));
        }
    }

    // Begun, and with all but the first steps before it.
    private static async Task<Task<Picture>> BeginAsync(Atelier atelier)
    {
        var began = new TaskCompletionSource();
        var sink = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Denoising) began.TrySetResult();
        });
        Task<Picture> painting = atelier.GenerateAsync(Long, sink, Cancellation);
        await began.Task.WaitAsync(Patience, Cancellation);
        return painting;
    }
}
