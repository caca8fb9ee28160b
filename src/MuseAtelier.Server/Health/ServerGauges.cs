using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Security;

namespace MuseAtelier.Server.Health;

/// <summary>What the server reports of itself: its jobs by their states, and the memory of its process.</summary>
internal sealed class ServerGauges
{
    private readonly IServiceProvider _services;

    /// <summary>Creates the instruments. The board is asked for when they are read.</summary>
    public ServerGauges(IServiceProvider services, IMeterFactory meters)
    {
        _services = services;
        Meter meter = meters.Create(RequestCount.MeterName);
        meter.CreateObservableGauge("muse.server.jobs", Jobs, "{job}", "Jobs that the server knows, by their states.");
        meter.CreateObservableGauge("process.memory.usage", () => Environment.WorkingSet, "By", "Memory that the process holds.");
    }

    private IEnumerable<Measurement<long>> Jobs()
    {
        IReadOnlyList<Job> jobs = _services.GetService<IJobBoard>()?.Jobs ?? [];
        return [.. Enum.GetValues<JobState>().Select(state => new Measurement<long>(
            jobs.Count(job => job.State == state),
            new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())))];
    }
}
