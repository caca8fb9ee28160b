using System.Diagnostics.Metrics;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Diagnostics;

public sealed class MetricsTests(NarrowAtelier narrow)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Meter_OfAnAtelierThatPaintsCancelsFailsAndRefuses_ReportsEachAndNothingAfterItsDisposal()
    {
        using var measured = new Measurements("metrics");
        using var factory = new MeterFactory();
        AtelierOptions options = TestAtelier.Options with
        {
            Name = "metrics",
            MeterFactory = factory,
            QueueCapacity = 1,
            WatchMemory = true,
            HostMemory = 1L << 40,
        };
        Atelier atelier = await narrow.OpenAsync(options);
        await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await CancelFailAndRefuseAsync(atelier, measured);
        Assert.Equal(1L << 40, Assert.Single(measured.Observe(AtelierTelemetry.MemoryLimit)).Value);
        Assert.InRange(Assert.Single(measured.Observe(AtelierTelemetry.MemoryUsage)).Value, 1, 1L << 40);
        await atelier.DisposeAsync();
        Assert.Empty(measured.Observe(AtelierTelemetry.QueueLength));
        Assert.Empty(measured.Observe(AtelierTelemetry.MemoryLimit));
        Assert.Empty(measured.Observe(AtelierTelemetry.MemoryUsage));

        Assert.All(measured.All, one => Assert.Equal("cpu", one.Tag(AtelierTelemetry.DeviceTag)));
        Assert.Equal(1, measured.Of(AtelierTelemetry.Pictures).Sum(one => one.Value));
        Assert.Equal(2, measured.Of(AtelierTelemetry.RequestCancellations).Sum(one => one.Value));
        Assert.Equal(1, measured.Of(AtelierTelemetry.RequestRejections).Sum(one => one.Value));
        Measured failure = Assert.Single(measured.Of(AtelierTelemetry.RequestFailures));
        Assert.Equal(typeof(InvalidDataException).FullName, failure.Tag(AtelierTelemetry.ErrorTypeTag));
        Assert.Equal(4, measured.Of(AtelierTelemetry.QueueWaitTime).Length);
        Assert.All(measured.All, one => Assert.Equal(UnitOf(one.Instrument), one.Unit));
        Measured[] phases = measured.Of(AtelierTelemetry.PhaseDuration);
        foreach (string phase in (string[])["text", "conditioning", "denoising", "decoding"])
            Assert.Contains(phases, one => one.Tag(AtelierTelemetry.PhaseTag) == phase && one.Value > 0);
        Assert.True(measured.Of(AtelierTelemetry.StepDuration).Length >= TestAtelier.Small.Steps);
    }

    [Fact]
    public async Task Steps_WithAListener_AllocateNothingManaged()
    {
        using var atelier = await narrow.OpenAsync(TestAtelier.Options with { Name = "steps" });
        long[] bytes = new long[64];
        int steps = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == AtelierTelemetry.StepDuration) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            // Other tests paint at the same time.
            if ((string?)tags[0].Value == "steps") bytes[steps++] = GC.GetAllocatedBytesForCurrentThread();
        });
        listener.Start();
        PictureRequest request = TestAtelier.Small with { Steps = 8 };
        await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        Picture picture = await PaintAsync();
        // .NET and ONNX Runtime allocate by themselves once in hundreds of steps.
        for (int i = 0; i < 8 && (bytes[0] != bytes[7] || picture.Timings.DenoisingManagedBytes > 0); i++) picture = await PaintAsync();
        Assert.Equal(8, steps);
        Assert.Equal(0, bytes[7] - bytes[0]);
        Assert.Equal(0, picture.Timings.DenoisingManagedBytes);

        Task<Picture> PaintAsync()
        {
            steps = 0;
            return atelier.GenerateAsync(request, cancellationToken: Cancellation);
        }
    }

    // One request is cancelled while it is painted, and one while it waits; while it waits a further one is refused.
    private static async Task CancelFailAndRefuseAsync(Atelier atelier, Measurements measured)
    {
        var failing = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Denoising) throw new InvalidDataException();
        });
        await Assert.ThrowsAsync<InvalidDataException>(() => atelier.GenerateAsync(TestAtelier.Small, failing, Cancellation));
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var began = new TaskCompletionSource();
        var sink = new Reports<GenerationProgress>(report =>
        {
            if (report.Phase == GenerationPhase.Encoding) began.TrySetResult();
        });
        Task<Picture> painting = atelier.GenerateAsync(TestAtelier.Small with { Steps = 1000 }, sink, cancelling.Token);
        await began.Task.WaitAsync(Cancellation);
        Assert.True(atelier.Status.IsPainting);
        Task<Picture> waiting = atelier.GenerateAsync(TestAtelier.Small, cancellationToken: cancelling.Token);
        Assert.Equal(1, Assert.Single(measured.Observe(AtelierTelemetry.QueueLength)).Value);
        await Assert.ThrowsAsync<QueueFullException>(() => atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation));
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => painting);
        Assert.Equal(0, Assert.Single(measured.Observe(AtelierTelemetry.QueueLength)).Value);
    }

    private static string UnitOf(string instrument) => instrument switch
    {
        AtelierTelemetry.Pictures => "{picture}",
        AtelierTelemetry.MemoryLimit or AtelierTelemetry.MemoryUsage => "By",
        AtelierTelemetry.QueueWaitTime or AtelierTelemetry.PhaseDuration or AtelierTelemetry.StepDuration => "s",
        _ => "{request}",
    };

    /// <summary>Makes one meter and owns it, as a host's factory does.</summary>
    private sealed class MeterFactory : IMeterFactory
    {
        private Meter? _meter;

        public Meter Create(MeterOptions options) => _meter ??= new Meter(options);

        public void Dispose() => _meter?.Dispose();
    }
}
