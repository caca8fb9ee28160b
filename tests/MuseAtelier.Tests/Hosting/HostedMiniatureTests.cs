using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Cpu;
using MuseAtelier.Hosting;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Hosting;

/// <summary>A host with the Miniature.</summary>
public sealed class HostedMiniatureTests(NarrowAtelier narrow)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly PictureRequest OneStep = TestAtelier.Small with { Steps = 1 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_InAHost_PaintsTheSameBytes()
    {
        using IHost host = Build(WarmUpMode.InBackground, TimeSpan.FromSeconds(30));
        await host.StartAsync(Cancellation);
        var atelier = host.Services.GetRequiredService<IAtelier>();
        Picture hosted = await atelier.GenerateAsync(OneStep, cancellationToken: Cancellation);
        Picture direct = await narrow.ReferenceAsync(OneStep);
        Assert.Equal(direct.Pixels.Span, hosted.Pixels.Span);
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        Assert.Equal(HealthStatus.Healthy, report.Status);
        Assert.Equal(narrow.Atelier.Model.Name, report.Entries["MuseAtelier"].Data["model"]);
        Task<Picture> left = atelier.GenerateAsync(OneStep, cancellationToken: Cancellation);
        await host.StopAsync(Cancellation);
        // The atelier has ended: the picture is finished or never will be. Its task may end a moment later.
        await left.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task Stop_BeyondTheShutdownTimeout_AbortsTheLongPictureAndItsQueue()
    {
        using IHost host = Build(WarmUpMode.AtStart, TimeSpan.FromMilliseconds(50));
        await host.StartAsync(Cancellation);
        var atelier = host.Services.GetRequiredService<IAtelier>();
        PictureRequest endless = OneStep with { Steps = 1000 };
        Task<Picture> painting = atelier.GenerateAsync(endless, cancellationToken: Cancellation);
        Task<Picture> waiting = atelier.GenerateAsync(endless, cancellationToken: Cancellation);
        await host.StopAsync(Cancellation).WaitAsync(Patience, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => painting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => atelier.GenerateAsync(OneStep, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Start_WithAModelThatIsMissing_ThrowsTheLibrarysFailure()
    {
        using IHost host = Build(WarmUpMode.AtStart, TimeSpan.FromSeconds(30), "missing.safetensors");
        MuseAtelierException failure = await Assert.ThrowsAnyAsync<MuseAtelierException>(() => host.StartAsync(Cancellation));
        Assert.Contains("missing.safetensors", failure.Found, StringComparison.Ordinal);
    }

    private IHost Build(WarmUpMode warmUp, TimeSpan shutdownTimeout, string? model = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = shutdownTimeout);
        builder.Services.AddMuseAtelier(options =>
        {
            options.Model = model ?? narrow.Atelier.Model.Package;
            options.Backend = CpuBackend.Create();
            options.CacheFolder = TestAtelier.Options.CacheFolder;
            options.WarmUp = warmUp;
            options.Disposal = DisposalMode.Drain;
        });
        builder.Services.AddHealthChecks().AddMuseAtelier();
        return builder.Build();
    }
}
