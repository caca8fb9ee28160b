using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MuseAtelier.Hosting;

/// <summary>
/// Warms an atelier up before any other service of the host starts, and ends it after all of them have stopped, in whatever order they were
/// registered.
/// </summary>
internal sealed class AtelierLifetime(HostedAtelier atelier, string name, ILogger logger) : IHostedLifecycleService, IDisposable
{
    private static readonly PictureRequest TinyPicture = new() { Prompt = "", Width = 256, Height = 256, Steps = 1 };

    private readonly CancellationTokenSource _stopping = new();
    private Task _warmingUp = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        MuseAtelierHostOptions options = atelier.Options;
        if (options.Section is { } section)
        {
            foreach (string key in OptionsReader.UnknownKeys(section))
                HostLog.UnknownSetting(logger, key, string.Join(", ", OptionsReader.Keys));
        }

        if (options.WarmUp == WarmUpMode.AtStart) await WarmUpAsync(options, cancellationToken).ConfigureAwait(false);
        if (options.WarmUp == WarmUpMode.InBackground) _warmingUp = WarmUpInBackgroundAsync(options);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => _stopping.CancelAsync();

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        bool drains = atelier.DrainsAtEnd;
        await atelier.EndAsync(drains, cancellationToken).ConfigureAwait(false);
        await _warmingUp.ConfigureAwait(false);
        if (drains && atelier.IsAborting) HostLog.ShutdownTimeoutReached(logger, name);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task WarmUpAsync(MuseAtelierHostOptions options, CancellationToken cancellationToken)
    {
        await atelier.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (!options.WarmUpPicture) return;
        PictureRequest request = options.WarmUpRequest ?? TinyPicture;
        using Picture picture = await atelier.GenerateAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    private async Task WarmUpInBackgroundAsync(MuseAtelierHostOptions options)
    {
        try
        {
            await WarmUpAsync(options, _stopping.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_stopping.IsCancellationRequested || atelier.IsEnding)
        {
            // The host stops, or is disposed without a stop. Nobody waits for the warm-up, and the atelier ends by itself.
        }
#pragma warning disable CA1031 // The next request repeats what failed, and the health check reports it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            HostLog.WarmUpFailed(logger, name, exception);
        }
    }
}
