using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MuseAtelier.Hosting;

/// <summary>Reports whether an atelier can paint. Never opens it.</summary>
internal sealed class AtelierHealthCheck(HostedAtelier atelier) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        HealthStatus failed = context.Registration.FailureStatus;
        return Task.FromResult(Check(failed));
    }

    private HealthCheckResult Check(HealthStatus failed)
    {
        if (atelier.OpeningFailure is { } failure)
            return new HealthCheckResult(failed, $"The model could not be opened: {failure.Message}", failure);
        AtelierStatus status = atelier.Status;
        Dictionary<string, object> data = DataOf(status);
        if (atelier.IsEnding || !status.AcceptsRequests)
            return new HealthCheckResult(failed, "The atelier accepts no more requests.", data: data);
        if (status.QueueLength >= status.QueueCapacity)
            return HealthCheckResult.Degraded($"The queue is full: {status.QueueLength} requests wait.", data: data);
        if (atelier.IsOpen) return HealthCheckResult.Healthy("The model is open.", data);
        return atelier.IsOpening
            ? HealthCheckResult.Degraded("The model is being opened.", data: data)
            : HealthCheckResult.Healthy("The first request opens the model.", data);
    }

    private Dictionary<string, object> DataOf(AtelierStatus status)
    {
        var data = new Dictionary<string, object>
        {
            ["queueLength"] = status.QueueLength,
            ["queueCapacity"] = status.QueueCapacity,
        };
        if (!atelier.IsOpen) return data;
        data["isPainting"] = status.IsPainting;
        data["budgetBytes"] = status.BudgetBytes;
        if (status.HeldBytes is { } held) data["heldBytes"] = held;
        data["device"] = atelier.Device;
        data["model"] = atelier.Model.Name;
        return data;
    }
}
