using Microsoft.Extensions.Hosting;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Server.Models;

/// <summary>Publishes the memory in use, at most once a second and only when it changed.</summary>
internal sealed class SanctumWatch(IModelShelf shelf, IEventHub events) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private SanctumState _told = shelf.Sanctum;

    /// <summary>Publishes the memory if it changed since the last time.</summary>
    public void Look()
    {
        SanctumState now = shelf.Sanctum;
        if (now == _told) return;
        events.Publish("sanctum", "sanctum", new { held = now.Held, budget = now.Budget });
        _told = now;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false)) Look();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}
