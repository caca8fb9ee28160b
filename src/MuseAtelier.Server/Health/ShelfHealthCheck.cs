using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Health;

/// <summary>Reports whether the server accepts jobs and can open its models. Opens nothing and does not wait.</summary>
internal sealed class ShelfHealthCheck(IModelShelf shelf, IHostApplicationLifetime lifetime, IServiceProvider services) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        IReadOnlyList<ShelfModel> models = shelf.Models;
        IReadOnlyList<Job> jobs = services.GetService<IJobBoard>()?.Jobs ?? [];
        var data = new Dictionary<string, object>
        {
            ["models"] = models.Count,
            ["openModels"] = models.Count(model => shelf.Opened(model) is not null),
            ["waitingJobs"] = jobs.Count(job => job.State == JobState.Waiting),
            ["isPainting"] = jobs.Any(job => job.State == JobState.Painting),
        };
        if (lifetime.ApplicationStopping.IsCancellationRequested) return HealthCheckResult.Unhealthy("The server stops.", data: data);
        return models.Any(model => model.Problem is null)
            ? HealthCheckResult.Healthy("The server accepts jobs.", data)
            : HealthCheckResult.Degraded("No model can be opened.", data: data);
    }
}
