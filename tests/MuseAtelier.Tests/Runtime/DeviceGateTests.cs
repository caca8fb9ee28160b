using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Runtime;

public sealed class DeviceGateTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enter_WhileAnotherEngineIsAdmitted_WaitsForItsLastExit()
    {
        var gate = new DeviceGate();
        object first = new(), second = new();
        DeviceLease outer = gate.Enter(first, Cancellation), inner = gate.Enter(first, Cancellation);
        Task<DeviceLease> waiting = Task.Factory.StartNew(() =>
            gate.Enter(second, Cancellation), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        outer.Dispose();
        await Task.WhenAny(waiting, Task.Delay(50, Cancellation));
        Assert.False(waiting.IsCompleted);
        inner.Dispose();
        inner.Dispose();
        (await waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancellation)).Dispose();
        gate.Enter(first, Cancellation).Dispose();
    }

    [Fact]
    public async Task Enter_FromManyThreadsOfManyEngines_AdmitsOneEngineAtATime()
    {
        var gate = new DeviceGate();
        object[] engines = [new(), new(), new()];
        object? present = null;
        int inside = 0, wrong = 0, entered = 0;
        Lock check = new();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(worker => Task.Factory.StartNew(
            () =>
            {
                object engine = engines[worker % engines.Length];
                for (int i = 0; i < 200; i++)
                {
                    using DeviceLease lease = gate.Enter(engine, Cancellation);
                    lock (check)
                    {
                        if (inside > 0 && present != engine) wrong++;
                        present = engine;
                        inside++;
                        entered++;
                    }

                    if (i % 50 == 0) Thread.Sleep(1);
                    lock (check) inside--;
                }
            },
            Cancellation,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        Assert.Equal((0, 12 * 200), (wrong, entered));
    }

    [Fact]
    public async Task Enter_CancelledWhileWaiting_LeavesTheQueueAtOnce()
    {
        var gate = new DeviceGate();
        object first = new(), second = new(), third = new();
        DeviceLease lease = gate.Enter(first, Cancellation);
        using var cancelling = new CancellationTokenSource();
        Task<DeviceLease> waiting = Task.Factory.StartNew(() =>
            gate.Enter(second, cancelling.Token), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Delay(20, Cancellation);
        await cancelling.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        lease.Dispose();
        gate.Enter(third, Cancellation).Dispose();
        Assert.Throws<OperationCanceledException>(() => gate.Enter(third, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Handovers_ChangeWhenAnotherEngineIsAdmitted_AndNotWhenTheSameOneReturns()
    {
        var gate = new DeviceGate();
        object first = new(), second = new();
        gate.Enter(first, Cancellation).Dispose();
        long before = gate.Handovers;
        using (gate.Enter(first, Cancellation)) gate.Enter(first, Cancellation).Dispose();
        Assert.Equal(before, gate.Handovers);
        gate.Enter(second, Cancellation).Dispose();
        Assert.NotEqual(before, gate.Handovers);
        long between = gate.Handovers;
        gate.Enter(first, Cancellation).Dispose();
        Assert.NotEqual(between, gate.Handovers);
        gate.Forget(first);
        long forgotten = gate.Handovers;
        gate.Enter(first, Cancellation).Dispose();
        Assert.NotEqual(forgotten, gate.Handovers);
    }
}
