using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MuseAtelier.Server.Health;

/// <summary>Health and metrics.</summary>
internal static class HealthEndpoints
{
    private const string Prometheus = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Adds the services.</summary>
    public static void AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<MetricReader>();
        builder.Services.AddSingleton<ServerGauges>();
        builder.Services.AddHealthChecks().AddCheck<ShelfHealthCheck>("models");
    }

    /// <summary>Maps the routes.</summary>
    public static void MapHealth(this WebApplication app)
    {
        // Instruments count from the start, not from the first request for them.
        var reader = app.Services.GetRequiredService<MetricReader>();
        app.Services.GetRequiredService<ServerGauges>();
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = WriteAsync })
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
        app.MapGet("/metrics", ContentHttpResult () => TypedResults.Text(reader.Read(), Prometheus))
            .WithTags("health")
            .WithName("metrics")
            .WithSummary("The metrics of the engine and of the server in Prometheus' text format.");
    }

    private static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        HealthReportEntry entry = report.Entries.Values.First();
        var body = new Dictionary<string, object>(entry.Data)
        {
            ["status"] = report.Status.ToString().ToLowerInvariant(),
            ["message"] = entry.Description ?? "",
        };
        await JsonSerializer.SerializeAsync(context.Response.Body, body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }
}
