using Microsoft.Extensions.Diagnostics.HealthChecks;
using MuseAtelier.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers health checks of ateliers.</summary>
public static class MuseAtelierHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds the health check of an atelier that <c>AddMuseAtelier</c> registers. It is healthy while the atelier is open, or waits for its
    /// first request; degraded while it is being opened, or its queue is full; and unhealthy if the opening failed, or it accepts no more
    /// requests. Its data are the length and capacity of the queue and, once open, budget, held bytes, device and model. It opens nothing.
    /// </summary>
    /// <param name="builder">The builder of health checks.</param>
    /// <param name="atelierName">The name with which the atelier was registered; null for the one without a name.</param>
    /// <param name="name">The name of the health check; null means <c>MuseAtelier</c>, or <c>MuseAtelier:NAME</c>.</param>
    /// <param name="failureStatus">The status that is reported in place of unhealthy; null means unhealthy.</param>
    /// <param name="tags">Tags by which health checks can be selected.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException">The builder is null.</exception>
    public static IHealthChecksBuilder AddMuseAtelier(
        this IHealthChecksBuilder builder, string? atelierName = null, string? name = null, HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string key = atelierName ?? Options.Options.DefaultName;
        return builder.Add(new HealthCheckRegistration(
            name ?? (key.Length == 0 ? "MuseAtelier" : $"MuseAtelier:{key}"),
            services => new AtelierHealthCheck(services.GetRequiredKeyedService<HostedAtelier>(key)),
            failureStatus,
            tags));
    }
}
