using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Runtime;

public sealed class RequestQueueTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Add_CancelledWhileItWaits_EndsWhileTheOneBeforeStillRuns()
    {
        var thread = new EngineThread("test");
        using var began = new ManualResetEventSlim(false);
        using var release = new ManualResetEventSlim(false);
        Task<int> running = thread.RunAsync(
            () =>
            {
                began.Set();
                release.Wait(Cancellation);
                return 1;
            },
            Cancellation);
        began.Wait(Cancellation);
        using var cancelling = new CancellationTokenSource();
        Task<int> waiting = thread.RunAsync(() => 2, cancelling.Token);
        await cancelling.CancelAsync();
        OperationCanceledException exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            waiting.WaitAsync(Patience, Cancellation));
        Assert.Equal(cancelling.Token, exception.CancellationToken);
        Assert.False(running.IsCompleted);
        Assert.Equal(0, thread.QueueLength);
        release.Set();
        Assert.Equal(1, await running);
        await thread.EndAsync(drains: true);
    }

    [Fact]
    public async Task EndAsync_Draining_ServesWhatWaitsAndRefusesTheRest()
    {
        var thread = new EngineThread("test");
        List<int> served = [];
        bool ended = false;
        thread.AtEnd(() => ended = served.Count == 20);
        Task<bool>[] requests =
            [.. Enumerable.Range(0, 20).Select(i => thread.RunAsync(() => { served.Add(i); return true; }, Cancellation))];
        await thread.EndAsync(drains: true);
        Assert.All(requests, request => Assert.True(request.IsCompletedSuccessfully));
        Assert.Equal(Enumerable.Range(0, 20), served);
        Assert.True(ended);
        Assert.Throws<ObjectDisposedException>(() => { _ = thread.RunAsync(() => true, Cancellation); });
        await thread.EndAsync(drains: false);
    }

    [Fact]
    public async Task EndAsync_Aborting_CancelsWhatWaitsAndWhatRuns()
    {
        var thread = new EngineThread("test");
        using var began = new ManualResetEventSlim(false);
        Task<bool> running = thread.RunAsync(
            () =>
            {
                began.Set();
                thread.Aborting.WaitHandle.WaitOne();
                thread.Aborting.ThrowIfCancellationRequested();
                return true;
            },
            Cancellation);
        Task<bool>[] waiting = [.. Enumerable.Range(0, 50).Select(_ => thread.RunAsync(() => true, Cancellation))];
        began.Wait(Cancellation);
        await thread.EndAsync(drains: false).WaitAsync(Patience, Cancellation);
        Assert.True(running.IsCanceled);
        Assert.All(waiting, request => Assert.True(request.IsCanceled));
    }

    [Fact]
    public async Task EndAsync_OfAThreadWhoseLastActionFails_SaysSoAfterTheThreadHasEnded()
    {
        var thread = new EngineThread("test");
        Thread? native = await thread.RunAsync(() => Thread.CurrentThread, Cancellation);
        thread.AtEnd(() => throw new InvalidOperationException("last"));
        Assert.Equal("last", (await Assert.ThrowsAsync<InvalidOperationException>(() => thread.EndAsync(drains: true))).Message);
        Assert.False(native.IsAlive);
    }

    [Fact]
    public async Task Add_FromTwoCallers_RunsEachInItsOwnExecutionContext()
    {
        var local = new AsyncLocal<string> { Value = "opener" };
        var thread = new EngineThread("test");
        string?[] seen = await Task.WhenAll(Ask("first"), Ask("second"), Ask(null));
        Assert.Equal<string?>(["first", "second", null], seen.AsEnumerable());
        await thread.EndAsync(drains: true);

        async Task<string?> Ask(string? value)
        {
            local.Value = value!;
            return await thread.RunAsync(() => local.Value, Cancellation);
        }
    }

    [Fact]
    public async Task Add_OfManyThatAreCancelledAtRandom_EndsEveryRequestOnce()
    {
        var thread = new EngineThread("test");
        int ran = 0;
        Task<bool>[] requests = [.. Enumerable.Range(0, 2000).Select(async i =>
        {
            using var cancelling = new CancellationTokenSource();
            Task<int> request = thread.RunAsync(() => Interlocked.Increment(ref ran), cancelling.Token);
            if (i % 3 == 0) await cancelling.CancelAsync();
            try
            {
                await request;
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        })];
        bool[] results = await Task.WhenAll(requests).WaitAsync(Patience, Cancellation);
        await thread.EndAsync(drains: true);
        Assert.Equal(ran, results.Count(result => result));
        Assert.True(results.Where((_, i) => i % 3 != 0).All(result => result));
    }
}
