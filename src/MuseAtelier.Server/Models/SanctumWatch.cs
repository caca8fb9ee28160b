using Microsoft.Extensions.Hosting;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Server.Models;

/// <summary>Publishes the memory in use, at most once a second and only when it changed.</summary>
internal sealed class SanctumWatch(IModelShelf shelf, IEventHub? events = null) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        SanctumState told = shelf.Sanctum;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                SanctumState now = shelf.Sanctum;
                if (now == told) continue;
                events?.Publish("sanctum", "sanctum", new { held = now.Held, budget = now.Budget });
                told = now;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}
