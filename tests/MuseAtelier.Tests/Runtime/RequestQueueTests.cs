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

    [Fact]
    public async Task ServeAll_OfSeveralPriorities_TakesTheHighestFirstAndEachInItsOrder()
    {
        using var held = new HeldThread();
        List<string> served = [];
        Task[] requests =
        [
            Add("low 1", GenerationPriority.Low), Add("normal 1", GenerationPriority.Normal), Add("high 1", GenerationPriority.High),
            Add("normal 2", GenerationPriority.Normal), Add("low 2", GenerationPriority.Low), Add("high 2", GenerationPriority.High),
        ];
        held.Release();
        await Task.WhenAll(requests).WaitAsync(Patience, Cancellation);
        Assert.Equal(["high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"], served);

        Task Add(string name, GenerationPriority priority) =>
            held.Thread.RunAsync(_ => { served.Add(name); return true; }, new QueueTerms { Priority = priority }, Cancellation);
    }

    [Fact]
    public async Task Add_ToAFullQueue_IsRefusedUntilOneLeaves()
    {
        using var held = new HeldThread(capacity: 2);
        using var cancelling = new CancellationTokenSource();
        Task<bool> first = Add(new QueueTerms(), cancelling.Token), second = Add(new QueueTerms(), Cancellation);
        Assert.Equal(2, held.Thread.QueueLength);
        List<int> told = [];
        QueueFullException exception =
            Assert.Throws<QueueFullException>(() => { _ = Add(new QueueTerms { Moved = told.Add }, Cancellation); });
        Assert.Equal(2, exception.Capacity);
        Assert.Empty(told);
        Assert.Equal(2, held.Thread.QueueLength);

        // The engine's own work is not counted, and a later batch of a series is never refused.
        Task<int> own = held.Thread.RunAsync(() => 7, Cancellation);
        Assert.Equal(2, held.Thread.QueueLength);
        Task<bool> later = Add(new QueueTerms { MayExceedCapacity = true }, Cancellation);
        Assert.Equal(3, held.Thread.QueueLength);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Throws<QueueFullException>(() => { _ = Add(new QueueTerms(), Cancellation); });
        held.Release();
        await Task.WhenAll(second, own, later).WaitAsync(Patience, Cancellation);
        Assert.True(await Add(new QueueTerms(), Cancellation));

        Task<bool> Add(QueueTerms terms, CancellationToken cancellationToken) =>
            held.Thread.RunAsync(_ => true, terms, cancellationToken);
    }

    // The thread takes one request at once, so that it does not count.
    [Fact]
    public async Task Add_ToAnIdleThread_LeavesTheWholeCapacityToThoseThatWait()
    {
        using var release = new ManualResetEventSlim(false);
        var thread = new EngineThread("test", 1);
        var terms = new QueueTerms();
        Task<bool> running = thread.RunAsync(_ => { release.Wait(Cancellation); return true; }, terms, Cancellation);
        Task<bool> waiting = thread.RunAsync(_ => true, terms, Cancellation);
        Assert.Throws<QueueFullException>(() => { _ = thread.RunAsync(_ => true, terms, Cancellation); });
        release.Set();
        await Task.WhenAll(running, waiting).WaitAsync(Patience, Cancellation);
        await thread.EndAsync(drains: true);
    }

    [Fact]
    public async Task Moved_OfRequestsThatWait_IsToldAtEntryAndAtEveryChange()
    {
        using var held = new HeldThread();
        using var cancelling = new CancellationTokenSource();
        var low = new Positions(held.Thread);
        var normal = new Positions(held.Thread);
        Task<bool> ahead = held.Thread.RunAsync(_ => true, new QueueTerms(), cancelling.Token);
        Task<bool> second = held.Thread.RunAsync(_ => normal.Begin(), new QueueTerms { Moved = normal.Report }, Cancellation);
        Task<bool> third = held.Thread.RunAsync(
            _ => low.Begin(), new QueueTerms { Moved = low.Report, Priority = GenerationPriority.Low }, Cancellation);
        Assert.Equal([1], normal.Told);
        Assert.Equal([2], low.Told);
        Task<bool> high = held.Thread.RunAsync(_ => true, new QueueTerms { Priority = GenerationPriority.High }, Cancellation);
        await Task.WhenAll(normal.Reaches(2), low.Reaches(3)).WaitAsync(Patience, Cancellation);
        await cancelling.CancelAsync();
        await Task.WhenAll(normal.Reaches(1), low.Reaches(2)).WaitAsync(Patience, Cancellation);
        held.Release();
        await Task.WhenAll(high, second, third).WaitAsync(Patience, Cancellation);
        Assert.True(ahead.IsCanceled);
        Assert.False(normal.WasToldTooLate || low.WasToldTooLate);
        Assert.Equal([1, 2, 1], normal.Told.Take(3));
        Assert.Equal([2, 3, 2], low.Told.Take(3));
    }

    [Fact]
    public async Task Moved_ThatThrows_EndsThatRequestAlone()
    {
        using var held = new HeldThread(capacity: 3);
        using var cancelling = new CancellationTokenSource();
        Task<bool> ahead = held.Thread.RunAsync(_ => true, new QueueTerms(), cancelling.Token);
        Assert.Equal("entry", Assert.Throws<InvalidOperationException>(() =>
        {
            _ = held.Thread.RunAsync(
                _ => true, new QueueTerms { Moved = _ => throw new InvalidOperationException("entry") }, Cancellation);
        }).Message);
        Assert.Equal(1, held.Thread.QueueLength);
        Task<bool> failing = held.Thread.RunAsync(
            _ => true,
            new QueueTerms { Moved = position => _ = position == 0 ? throw new InvalidOperationException("move") : position },
            Cancellation);
        Task<bool> last = held.Thread.RunAsync(_ => true, new QueueTerms(), Cancellation);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ahead);
        Exception exception = await Assert.ThrowsAsync<InvalidOperationException>(() => failing.WaitAsync(Patience, Cancellation));
        Assert.Equal("move", exception.Message);
        held.Release();
        Assert.True(await last);
    }

    [Fact]
    public async Task End_OnTheThreadItself_IsRefused()
    {
        var thread = new EngineThread("test");
        await Assert.ThrowsAsync<InvalidOperationException>(() => thread.RunAsync(
            () =>
            {
                thread.End(drains: false);
                return true;
            },
            Cancellation));
        Assert.True(thread.IsOpen);
        Assert.True(await thread.RunAsync(() => true, Cancellation));
        // Both ends at once, and again.
        Task blocking = Task.Run(() => thread.End(drains: false), Cancellation);
        await Task.WhenAll(thread.EndAsync(drains: true), blocking, thread.EndAsync(drains: false));
        thread.End(drains: true);
        Assert.False(thread.IsOpen);
    }

    // The thread waits for a report that is being made, so that code in a report must not wait for the thread.
    [Fact]
    public async Task End_InAReportOfAPosition_IsRefused()
    {
        using var held = new HeldThread();
        using var cancelling = new CancellationTokenSource();
        Task<bool> ahead = held.Thread.RunAsync(_ => true, new QueueTerms(), cancelling.Token);
        var terms = new QueueTerms
        {
            Moved = position =>
            {
                if (position == 0) held.Thread.End(drains: false);
            },
        };
        Task<bool> refused = held.Thread.RunAsync(_ => true, terms, Cancellation);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ahead);
        await Assert.ThrowsAsync<InvalidOperationException>(() => refused.WaitAsync(Patience, Cancellation));
    }

    [Fact]
    public async Task Moved_OfManyThatAreCancelledAtRandom_NeverComesAfterTheFunctionBegan()
    {
        var thread = new EngineThread("test");
        var positions = new Positions[500];
        Task[] requests = [.. Enumerable.Range(0, positions.Length).Select(async i =>
        {
            Positions own = positions[i] = new Positions(null);
            using var cancelling = new CancellationTokenSource();
            var terms = new QueueTerms { Moved = own.Report, Priority = (GenerationPriority)(i % 3 - 1) };
            Task<bool> request = thread.RunAsync(_ => own.Begin(), terms, cancelling.Token);
            if (i % 4 == 0) await cancelling.CancelAsync();
            await ((Task)request).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.True(i % 4 == 0 || request.IsCompletedSuccessfully);
        })];
        await Task.WhenAll(requests).WaitAsync(Patience, Cancellation);
        await thread.EndAsync(drains: true);
        Assert.All(positions, own => Assert.False(own.WasToldTooLate));
        Assert.All(positions, own => Assert.All(own.Told, position => Assert.InRange(position, 0, positions.Length)));
    }

    /// <summary>A thread that runs a request until it is released, so that others wait.</summary>
    private sealed class HeldThread : IDisposable
    {
        private readonly ManualResetEventSlim _released = new(false);
        private readonly Task<bool> _holding;

        public HeldThread(int capacity = int.MaxValue)
        {
            using var began = new ManualResetEventSlim(false);
            Thread = new EngineThread("test", capacity);
            _holding = Thread.RunAsync(
                _ =>
                {
                    began.Set();
                    _released.Wait(Cancellation);
                    return true;
                },
                new QueueTerms(),
                Cancellation);
            began.Wait(Cancellation);
        }

        public EngineThread Thread { get; }

        public void Release() => _released.Set();

        public void Dispose()
        {
            _released.Set();
            Thread.End(drains: true);
            Assert.True(_holding.IsCompletedSuccessfully);
            _released.Dispose();
        }
    }

    /// <summary>The positions that a request is told.</summary>
    private sealed class Positions(EngineThread? used)
    {
        private readonly List<int> _told = [];
        private readonly List<(int Position, TaskCompletionSource Reached)> _wanted = [];
        private bool _hasBegun;

        public int[] Told
        {
            get
            {
                lock (_told) return [.. _told];
            }
        }

        public bool WasToldTooLate { get; private set; }

        public void Report(int position)
        {
            // Another thread can use the queue, so its lock is not held.
            if (used is not null) Assert.InRange(Task.Run(() => used.QueueLength, Cancellation).GetAwaiter().GetResult(), 0, 1000);
            lock (_told)
            {
                if (_hasBegun) WasToldTooLate = true;
                _told.Add(position);
                foreach ((int wanted, TaskCompletionSource reached) in _wanted)
                    if (wanted == position) reached.TrySetResult();
            }
        }

        public Task Reaches(int position)
        {
            lock (_told)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _wanted.Add((position, reached));
                if (_told.Count > 0 && _told[^1] == position) reached.SetResult();
                return reached.Task;
            }
        }

        public bool Begin()
        {
            lock (_told) _hasBegun = true;
            return true;
        }
    }
}
