using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MuseAtelier.Cpu;
using MuseAtelier.Hosting;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Hosting;

/// <summary>Warm-up, health and shutdown in a host, over fake ateliers.</summary>
public sealed class HostTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<IAtelier> _opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<(string Model, AtelierOptions Options)> _openings = new();
    private readonly TestLog _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithWarmUpAtStart_WaitsAndPaintsTheWarmUpPicture()
    {
        using IHost host = Build(options => (options.WarmUp, options.WarmUpPicture) = (WarmUpMode.AtStart, true));
        Task starting = host.StartAsync(Cancellation);
        Assert.False(starting.IsCompleted);
        var real = new FakeAtelier();
        _opening.SetResult(real);
        await starting.WaitAsync(Patience, Cancellation);
        Assert.Equal(1, real.Requested);
        Assert.Equal("fake", host.Services.GetRequiredService<IAtelier>().Model.Name);
        await host.StopAsync(Cancellation);
        Assert.True(real.Disposed.Task.IsCompleted);
    }

    [Fact]
    public async Task Start_WithWarmUpAtStartThatFails_ThrowsTheFailure()
    {
        var failure = new ByteSizeException("x");
        _opening.SetException(failure);
        using IHost host = Build(options => options.WarmUp = WarmUpMode.AtStart);
        Assert.Same(failure, await Assert.ThrowsAsync<ByteSizeException>(() => host.StartAsync(Cancellation)));
    }

    [Fact]
    public async Task Start_WithInvalidOptions_Fails()
    {
        using IHost host = Build(options => options.QueueCapacity = 0);
        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
        Assert.Empty(_openings);
    }

    [Fact]
    public async Task Health_OfAWarmUpInTheBackgroundThatFails_IsDegradedThenUnhealthyThenHealthyAfterARequest()
    {
        bool fails = true;
        using IHost host = Build(
            options => options.WarmUp = WarmUpMode.InBackground,
            open: async cancellationToken =>
            {
                if (!fails) return new FakeAtelier();
                return await _opening.Task.WaitAsync(cancellationToken);
            });
        await host.StartAsync(Cancellation);
        Assert.Equal(HealthStatus.Degraded, (await HealthAsync(host)).Status);
        var failure = new ByteSizeException("x");
        _opening.SetException(failure);
        await _log.WaitForAsync(LogLevel.Error, Patience);
        HealthReportEntry failed = await HealthAsync(host);
        Assert.Equal(HealthStatus.Unhealthy, failed.Status);
        Assert.Same(failure, failed.Exception);
        fails = false;
        await host.Services.GetRequiredService<IAtelier>().GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync(host)).Status);
        await host.StopAsync(Cancellation);
        Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync(host)).Status);
    }

    [Fact]
    public async Task Health_OfAnOpenAtelier_HasItsDataAndIsDegradedWhenTheQueueIsFull()
    {
        var real = new FakeAtelier();
        _opening.SetResult(real);
        using IHost host = Build(options => options.WarmUp = WarmUpMode.AtStart);
        await host.StartAsync(Cancellation);
        HealthReportEntry healthy = await HealthAsync(host);
        Assert.Equal(HealthStatus.Healthy, healthy.Status);
        Dictionary<string, object> expected = new()
        {
            ["queueLength"] = 0,
            ["queueCapacity"] = 2,
            ["isPainting"] = false,
            ["budgetBytes"] = 1024L,
            ["heldBytes"] = 512L,
            ["device"] = "a test",
            ["model"] = "fake",
        };
        Assert.Equal(expected, healthy.Data);
        real.QueueLength = 2;
        Assert.Equal(HealthStatus.Degraded, (await HealthAsync(host)).Status);
    }

    [Fact]
    public async Task Start_WithWarmUpOnFirstUse_OpensAtTheFirstRequest()
    {
        _opening.SetResult(new FakeAtelier());
        using IHost host = Build(options => options.WarmUp = WarmUpMode.OnFirstUse);
        await host.StartAsync(Cancellation);
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync(host)).Status);
        Assert.Empty(_openings);
        await host.Services.GetRequiredService<IAtelier>().GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Single(_openings);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Services_WithTwoNamedAteliers_GiveEachItsOwn()
    {
        using IHost host = Build(
            options => options.WarmUp = WarmUpMode.OnFirstUse,
            services =>
            {
                services.AddMuseAtelier("portraits", options => Set(options, "portraits.safetensors"));
                services.AddMuseAtelier("portraits", options => options.QueueCapacity = 3);
                services.AddHealthChecks().AddMuseAtelier("portraits");
            },
            _ => Task.FromResult<IAtelier>(new FakeAtelier()));
        await host.StartAsync(Cancellation);
        var unnamed = host.Services.GetRequiredService<IAtelier>();
        var portraits = host.Services.GetRequiredKeyedService<IAtelier>("portraits");
        Assert.NotSame(unnamed, portraits);
        Assert.Equal((1024, 3), (unnamed.Status.QueueCapacity, portraits.Status.QueueCapacity));
        await unnamed.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await portraits.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Assert.Equal(["model.safetensors", "portraits.safetensors"], _openings.Select(each => Path.GetFileName(each.Model)));
        Assert.Equal([null, "portraits"], _openings.Select(each => each.Options.Name));
        Assert.All(_openings, each => Assert.NotNull(each.Options.LoggerFactory));
        Assert.All(_openings, each => Assert.NotNull(each.Options.MeterFactory));
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        Assert.Equal(["MuseAtelier", "MuseAtelier:portraits"], report.Entries.Keys.Order());
        Assert.Equal(2, host.Services.GetServices<IHostedService>().OfType<AtelierLifetime>().Count());
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Stop_WithDrain_FinishesAfterTheOtherServicesWhateverTheirOrder()
    {
        var real = new FakeAtelier { PaintsAtOnce = false };
        _opening.SetResult(real);
        var worker = new PaintingAtStop();
        using IHost host = Build(
            options => (options.WarmUp, options.Disposal) = (WarmUpMode.AtStart, DisposalMode.Drain),
            before: services => services.AddSingleton<IHostedService>(provider =>
            {
                worker.Atelier = provider.GetRequiredService<IAtelier>();
                return worker;
            }));
        await host.StartAsync(Cancellation);
        Task stopping = host.StopAsync(Cancellation);
        await real.FirstRequest.Task.WaitAsync(Patience, Cancellation);
        Assert.False(stopping.IsCompleted);
        real.FinishAll();
        await stopping.WaitAsync(Patience, Cancellation);
        // Its task may end a moment after the host.
        await worker.Left!.WaitAsync(Patience, Cancellation);
        Assert.DoesNotContain(_log.Levels, level => level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Stop_WithDrainBeyondTheShutdownTimeout_AbortsAndSaysSo()
    {
        var real = new FakeAtelier { PaintsAtOnce = false };
        _opening.SetResult(real);
        using IHost host = Build(
            options => (options.WarmUp, options.Disposal) = (WarmUpMode.AtStart, DisposalMode.Drain),
            services => services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100)));
        await host.StartAsync(Cancellation);
        Task<Picture> picture = host.Services.GetRequiredService<IAtelier>()
            .GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        await host.StopAsync(Cancellation).WaitAsync(Patience, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => picture);
        Assert.True(real.Disposed.Task.IsCompleted);
        Assert.Contains(LogLevel.Warning, _log.Levels);
    }

    [Fact]
    public async Task Stop_WhileOpening_EndsTheOpening()
    {
        using IHost host = Build(options => options.Disposal = DisposalMode.Drain);
        await host.StartAsync(Cancellation);
        await host.StopAsync(Cancellation).WaitAsync(Patience, Cancellation);
        Assert.DoesNotContain(_log.Levels, level => level >= LogLevel.Warning);
    }

    [Fact]
    public async Task DisposeAsync_OfTheProviderAlone_DisposesTheAtelier()
    {
        var real = new FakeAtelier();
        var services = new ServiceCollection();
        services.AddSingleton<AtelierOpener>((_, _, _) => Task.FromResult<IAtelier>(real));
        services.AddMuseAtelier(options => Set(options, "m"));
        await using (ServiceProvider provider = services.BuildServiceProvider())
        {
            await provider.GetRequiredService<IAtelier>().GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
            Assert.False(real.Disposed.Task.IsCompleted);
        }

        Assert.True(real.Disposed.Task.IsCompleted);
    }

    public void Dispose() => _log.Dispose();

    private static void Set(MuseAtelierHostOptions options, string model)
    {
        options.Model = model;
        options.Backend = CpuBackend.Create();
        options.WarmUp = WarmUpMode.OnFirstUse;
    }

    private static async Task<HealthReportEntry> HealthAsync(IHost host)
    {
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        return report.Entries["MuseAtelier"];
    }

    private IHost Build(
        Action<MuseAtelierHostOptions> configure, Action<IServiceCollection>? before = null,
        Func<CancellationToken, Task<IAtelier>>? open = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Logging.AddProvider(_log);
        builder.Services.AddSingleton<AtelierOpener>((model, options, cancellationToken) =>
        {
            _openings.Enqueue((model, options));
            return open is null ? _opening.Task.WaitAsync(cancellationToken) : open(cancellationToken);
        });
        before?.Invoke(builder.Services);
        builder.Services.AddMuseAtelier(options =>
        {
            Set(options, "model.safetensors");
            options.WarmUp = WarmUpMode.InBackground;
            configure(options);
        });
        builder.Services.AddHealthChecks().AddMuseAtelier();
        return builder.Build();
    }

    /// <summary>A service that requests a picture while it stops, and does not wait for it.</summary>
    private sealed class PaintingAtStop : IHostedService
    {
        public IAtelier Atelier { get; set; } = null!;

        public Task<Picture>? Left { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            Left = Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: CancellationToken.None);
            return Task.CompletedTask;
        }
    }
}
