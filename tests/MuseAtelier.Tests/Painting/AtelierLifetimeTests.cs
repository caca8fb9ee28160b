using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class AtelierLifetimeTests(NarrowAtelier narrow)
{
    private static readonly PictureRequest Long = TestAtelier.Small with { Steps = 1000 };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_CancelledBehindALongPicture_EndsWhileThatStillPaints()
    {
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
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
        Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
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
        Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
        Task<Picture> first = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Task<Picture> second = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await atelier.DrainAsync();
        await AssertFinishedAsync(first, second);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        await atelier.DisposeAsync();
    }

    // The queue is closed before the engine is disposed: a request cannot slip in between.
    [Fact]
    public async Task GenerateAsync_HeldUpByItsSinkWhileTheAtelierIsDisposed_Throws()
    {
        Atelier atelier = await narrow.OpenAsync(TestAtelier.Options);
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
        Picture before = await narrow.ReferenceAsync(TestAtelier.Small);
        await Assert.ThrowsAsync<InvalidOperationException>(() => narrow.Atelier.GenerateAsync(TestAtelier.Small, sink, Cancellation));
        Picture after = await narrow.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
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
            await narrow.Atelier.GenerateAsync(
                TestAtelier.Small, new Reports<GenerationProgress>(_ => seen.Add(local.Value)), Cancellation);
            Assert.All(seen, value => Assert.Equal(caller, value));
        }
    }

    [Fact]
    public async Task Dispose_OfAnAtelierThatDrains_FinishesWhatWasAskedFor()
    {
        Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { Disposal = DisposalMode.Drain });
        var refusals = new List<Exception>();
        // A sink runs on the thread for whose end the disposal waits.
        var sink = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Denoising) refusals.Add(Assert.Throws<InvalidOperationException>(atelier.Dispose));
        });
        Task<Picture> first = atelier.GenerateAsync(TestAtelier.Small, sink, Cancellation);
        Task<Picture> second = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Task draining = atelier.DrainAsync();
        await Task.WhenAll(Task.Run(atelier.Dispose, Cancellation), atelier.DisposeAsync().AsTask(), draining);
        await AssertFinishedAsync(first, second);
        Assert.Equal(TestAtelier.Small.Steps, refusals.Count);
        Assert.All(refusals, refusal => Assert.Contains("progress sink", refusal.Message, StringComparison.Ordinal));
        Assert.False(atelier.Status.AcceptsRequests);
        atelier.Dispose();
    }

    [Fact]
    public async Task Status_OfAnAtelierWithAFullQueue_CountsWhatWaits()
    {
        await using Atelier atelier = await narrow.OpenAsync(
            TestAtelier.Options with { QueueCapacity = 1, HostMemory = 1L << 40, WatchMemory = true });
        AtelierStatus idle = atelier.Status;
        Assert.Equal((0, 1, false), (idle.QueueLength, idle.QueueCapacity, idle.IsPainting));
        Assert.Equal((true, 1L << 40), (idle.AcceptsRequests, idle.BudgetBytes));
        Assert.InRange(idle.HeldBytes!.Value, 1, 1L << 40);

        // The first batch of the series is painted until the queue behind it is full. The second one must not be refused.
        var held = new TaskCompletionSource();
        using var release = new ManualResetEventSlim(false);
        var reports = new Reports<GenerationProgress>(report =>
        {
            if (report is not { Phase: GenerationPhase.Encoding, Picture: 0 }) return;
            held.SetResult();
            release.Wait(Cancellation);
        });
        IAsyncEnumerable<Picture> series = atelier.GenerateManyAsync(
            TestAtelier.Small, 2, new GenerationOptions { BatchSize = 1, Progress = reports }, Cancellation);
        ValueTask<int> painted = series.CountAsync(Cancellation);
        await held.Task.WaitAsync(Patience, Cancellation);
        Task<Picture> waiting = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal((1, true), (atelier.Status.QueueLength, atelier.Status.IsPainting));
        var refused = new Reports<GenerationProgress>();
        await Assert.ThrowsAsync<QueueFullException>(() => atelier.GenerateAsync(TestAtelier.Small, refused, Cancellation));
        Assert.Empty(refused.All);
        release.Set();
        Assert.Equal(2, await painted);
        // The second batch is told its position once more if it waits for the other request.
        Assert.InRange(reports.All.Count(report => report is { Phase: GenerationPhase.Queued, QueuePosition: 0 or 1, Step: 0 }), 2, 3);
        Assert.All(reports.All, report => Assert.Equal(report.Phase == GenerationPhase.Queued, report.QueuePosition is not null));
        await waiting;
        Assert.Equal((0, false), (atelier.Status.QueueLength, atelier.Status.IsPainting));
    }

    [Fact]
    public async Task GenerateAsync_WithOptionsThatDoNotFit_SaysSo()
    {
        var place = new GenerationOptions { Place = new BatchSlot(2, 0) };
        var size = new GenerationOptions { BatchSize = 2 };
        var undefined = new GenerationOptions { Priority = (GenerationPriority)7 };
        Atelier atelier = narrow.Atelier;
        await Assert.ThrowsAsync<ArgumentException>(() => atelier.GenerateAsync(TestAtelier.Small, size, Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => atelier.GenerateAsync(TestAtelier.Small, undefined, Cancellation));
        Assert.Throws<ArgumentException>(() => atelier.GenerateManyAsync(TestAtelier.Small, 2, place, Cancellation));
        Assert.Throws<ArgumentOutOfRangeException>(() => atelier.GenerateManyAsync(TestAtelier.Small, 2, undefined, Cancellation));
        foreach (int batch in (int[])[0, -1, BatchSlot.LargestBatch + 1])
        {
            var options = new GenerationOptions { BatchSize = batch };
            Assert.Throws<ArgumentOutOfRangeException>(() => atelier.GenerateManyAsync(TestAtelier.Small, 2, options, Cancellation));
        }
    }

    // The thread that painted them has ended, so each is finished or never will be; its task may end a moment later, on another thread.
    private static async Task AssertFinishedAsync(params Task<Picture>[] pictures)
    {
        foreach (Task<Picture> picture in pictures) await picture.WaitAsync(Patience, Cancellation);
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
