using Microsoft.Extensions.Options;
using MuseAtelier.Hosting;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Hosting;

/// <summary>The atelier that a host injects, over a fake one that opens when the test says so.</summary>
public sealed class HostedAtelierTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly MuseAtelierHostOptions _options = new();
    private readonly FakeAtelier _real = new() { PaintsAtOnce = false };
    private readonly TaskCompletionSource<IAtelier> _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _openings;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_OfThreeCallersWhileOpening_OpensOnceAndPaintsAll()
    {
        await using HostedAtelier atelier = Create();
        Task<Picture>[] pictures = [.. Enumerable.Range(0, 3).Select(_ => PaintAsync(atelier))];
        Assert.Equal(3, atelier.Status.QueueLength);
        _opening.SetResult(_real);
        await _real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        Task<Picture> late = PaintAsync(atelier);
        while (!Task.WhenAll([late, .. pictures]).IsCompleted)
        {
            _real.FinishAll();
            await Task.Yield();
        }

        Assert.Equal(1, _openings);
        Assert.Equal(4, _real.Requested);
    }

    [Fact]
    public async Task GenerateAsync_CancelledByOneCallerWhileOpening_EndsThatOneAlone()
    {
        await using HostedAtelier atelier = Create();
        using var cancelling = new CancellationTokenSource();
        Task<Picture> cancelled = PaintUntilAsync(atelier, cancelling.Token);
        Task<Picture> kept = PaintAsync(atelier);
        await cancelling.CancelAsync();
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(cancelling.Token, exception.CancellationToken);
        Assert.False(kept.IsCompleted);
        Assert.True(atelier.IsOpening);
        _opening.SetResult(_real);
        await _real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        _real.FinishAll();
        await kept.WaitAsync(Patience, Cancellation);
        Assert.Equal(1, _real.Requested);
    }

    [Fact]
    public async Task GenerateAsync_AfterAFailedOpening_OpensAgain()
    {
        var failure = new ByteSizeException("x");
        int openings = 0;
        await using var atelier = new HostedAtelier(
            () => _options,
            async _ => Interlocked.Increment(ref openings) == 1 ? throw failure : await Task.FromResult(new FakeAtelier()));
        Assert.Same(failure, await Assert.ThrowsAsync<ByteSizeException>(() => PaintAsync(atelier)));
        Assert.Same(failure, atelier.OpeningFailure);
        AtelierNotOpenException notOpen = Assert.Throws<AtelierNotOpenException>(() => atelier.Device);
        Assert.Same(failure, notOpen.InnerException);
        Assert.NotNull(await PaintAsync(atelier).WaitAsync(Patience, Cancellation));
        Assert.Null(atelier.OpeningFailure);
        Assert.Equal(2, openings);
    }

    [Fact]
    public async Task GenerateAsync_OfTwoCallersBeforeAFailure_GivesBothTheSame()
    {
        await using HostedAtelier atelier = Create();
        Task<Picture> first = PaintAsync(atelier), second = PaintAsync(atelier);
        var failure = new ByteSizeException("x");
        _opening.SetException(failure);
        Assert.Same(failure, await Assert.ThrowsAsync<ByteSizeException>(() => first.WaitAsync(Patience, Cancellation)));
        Assert.Same(failure, await Assert.ThrowsAsync<ByteSizeException>(() => second.WaitAsync(Patience, Cancellation)));
        Assert.Equal(1, _openings);
    }

    [Fact]
    public async Task GenerateAsync_BeyondTheCapacityWhileOpening_IsRefused()
    {
        _options.QueueCapacity = 1;
        await using HostedAtelier atelier = Create();
        Task<Picture> waiting = PaintAsync(atelier);
        QueueFullException full = await Assert.ThrowsAsync<QueueFullException>(() => PaintAsync(atelier));
        Assert.Equal(1, full.Capacity);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task GenerateAsync_WhileOpening_OpensOutsideOfItsCallersContext()
    {
        var local = new AsyncLocal<string> { Value = "caller" };
        string? seen = "nothing";
        await using var atelier = new HostedAtelier(
            () => _options,
            _ =>
            {
                seen = local.Value;
                return Task.FromResult<IAtelier>(new FakeAtelier());
            });
        await PaintAsync(atelier);
        Assert.Null(seen);
    }

    [Fact]
    public async Task GenerateManyAsync_WhileOpening_GivesAllPicturesInOrder()
    {
        await using var atelier = new HostedAtelier(() => _options, _ => Task.FromResult<IAtelier>(new FakeAtelier()));
        List<ulong> seeds = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(TestAtelier.Small, 3, cancellationToken: Cancellation))
            seeds.Add(picture.Request.Seed);
        Assert.Equal([7, 8, 9], seeds);
        Assert.Equal(0, atelier.Status.QueueLength);
    }

    [Fact]
    public async Task Members_BeforeOpening_SayWhatToDo()
    {
        await using HostedAtelier atelier = Create();
        AtelierNotOpenException exception = Assert.Throws<AtelierNotOpenException>(() => atelier.Model);
        Assert.Equal(nameof(IAtelier.Model), exception.Member);
        Assert.Contains("WarmUp to AtStart", exception.Message, StringComparison.Ordinal);
        Assert.Throws<AtelierNotOpenException>(() => atelier.Device);
        Assert.Throws<AtelierNotOpenException>(() => atelier.RuntimeVersion);
        AtelierStatus status = atelier.Status;
        Assert.Equal((0, 1024, true), (status.QueueLength, status.QueueCapacity, status.AcceptsRequests));
        Assert.Equal(0, _openings);
    }

    [Fact]
    public async Task DrainAsync_WithACallerThatWaitsForTheOpening_PaintsItFirst()
    {
        HostedAtelier atelier = Create();
        Task<Picture> picture = PaintAsync(atelier);
        Task draining = atelier.DrainAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => PaintAsync(atelier));
        Assert.False(atelier.Status.AcceptsRequests);
        _opening.SetResult(_real);
        await _real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        Assert.False(draining.IsCompleted);
        _real.FinishAll();
        await draining.WaitAsync(Patience, Cancellation);
        Assert.NotNull(await picture);
        Assert.True(_real.Disposed.Task.IsCompleted);
    }

    [Fact]
    public async Task EndAsync_BeyondItsLimit_AbortsWhatIsLeft()
    {
        HostedAtelier atelier = Create();
        _opening.SetResult(_real);
        Task<Picture> picture = PaintAsync(atelier);
        await _real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        using var limit = new CancellationTokenSource();
        Task ending = atelier.EndAsync(drains: true, limit.Token);
        Assert.False(ending.IsCompleted);
        await limit.CancelAsync();
        await ending.WaitAsync(Patience, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => picture);
        Assert.True(_real.Disposed.Task.IsCompleted);
        Assert.True(atelier.IsAborting);
    }

    [Fact]
    public async Task DisposeAsync_WhileOpening_CancelsTheOpeningAndItsCallers()
    {
        var atelier = new HostedAtelier(
            () => _options,
            async ending =>
            {
                await Task.Delay(Timeout.Infinite, ending);
                return _real;
            });
        Task<Picture> picture = PaintAsync(atelier);
        await atelier.DisposeAsync().AsTask().WaitAsync(Patience, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => picture.WaitAsync(Patience, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => PaintAsync(atelier));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => atelier.OpenAsync(Cancellation));
    }

    [Fact]
    public async Task Dispose_OfAnAtelierThatWasNeverOpened_NeedsNoValidOptions()
    {
        var atelier = new HostedAtelier(
            () => throw new OptionsValidationException("", typeof(MuseAtelierHostOptions), []), _ => _opening.Task);
        atelier.Dispose();
        await atelier.DisposeAsync();
        Assert.True(atelier.IsEnding);
    }

    [Fact]
    public async Task Dispose_WithDrain_FinishesTheRequests()
    {
        _options.Disposal = DisposalMode.Drain;
        HostedAtelier atelier = Create();
        _opening.SetResult(_real);
        Task<Picture> picture = PaintAsync(atelier);
        await _real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        Task disposal = Task.Run(atelier.Dispose, Cancellation);
        Assert.False(picture.IsCompleted);
        _real.FinishAll();
        await disposal.WaitAsync(Patience, Cancellation);
        // Its task may end a moment after the disposal.
        await picture.WaitAsync(Patience, Cancellation);
    }

    public void Dispose() => _real.Dispose();

    private static Task<Picture> PaintAsync(HostedAtelier atelier) => PaintUntilAsync(atelier, Cancellation);

    private static Task<Picture> PaintUntilAsync(HostedAtelier atelier, CancellationToken cancellationToken) =>
        atelier.GenerateAsync(TestAtelier.Small, options: null, cancellationToken);

    private HostedAtelier Create() => new(
        () => _options,
        cancellationToken =>
        {
            Interlocked.Increment(ref _openings);
            return _opening.Task.WaitAsync(cancellationToken);
        });
}
