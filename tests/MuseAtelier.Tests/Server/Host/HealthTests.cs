using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Server.Health;
using MuseAtelier.Server.Security;

namespace MuseAtelier.Tests.Server.Host;

public sealed class HealthTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Health_OfARunningServer_IsHealthy()
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/health");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using JsonDocument document = JsonDocument.Parse(await Content(answer));
        Assert.Equal("healthy", document.RootElement.GetProperty("status").GetString());
        Assert.Equal(1, document.RootElement.GetProperty("models").GetInt32());
    }

    [Fact]
    public async Task Health_OfAServerThatStops_IsUnhealthy()
    {
        await using RunningServer stopping = await RunningServer.StartAsync(options => options);
        stopping.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        using HttpResponseMessage answer = await stopping.SendAsync(HttpMethod.Get, "/health");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        using JsonDocument document = JsonDocument.Parse(await Content(answer));
        Assert.Equal("unhealthy", document.RootElement.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Description_OfTheApi_HasEveryRouteOfTheApis()
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        using JsonDocument document = JsonDocument.Parse(await Content(answer));
        JsonElement paths = document.RootElement.GetProperty("paths");
        string[] routes = [.. server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => $"/{endpoint.RoutePattern.RawText!.Trim('/')}")
            .Where(route => route.StartsWith("/api/", StringComparison.Ordinal) || route.StartsWith("/sdapi/", StringComparison.Ordinal)
                || route.StartsWith("/v1/", StringComparison.Ordinal))
            // What answers for routes that do not exist is none.
            .Where(route => !route.Contains("{**", StringComparison.Ordinal))];
        Assert.NotEmpty(routes);
        Assert.All(routes, route => Assert.True(paths.TryGetProperty(route, out _), route));
    }

    [Fact]
    public async Task Metrics_AreInPrometheusFormat()
    {
        (await server.SendAsync(HttpMethod.Get, "/no/such/route")).Dispose();
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/metrics");
        string text = await Content(answer);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("# TYPE muse_server_requests_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("muse_server_requests_total{http_response_status_code=\"404\"}", text, StringComparison.Ordinal);
        Assert.Contains("muse_server_jobs{state=\"waiting\"} 0\n", text, StringComparison.Ordinal);
        Assert.All(
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches("^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+({[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*})? [0-9.E+-]+)$", line));
    }

    [Fact]
    public void Read_OfAHistogram_CountsInBuckets()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var reader = new MetricReader(meters);
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] };
        Histogram<double> histogram = meters.Create(RequestCount.MeterName).CreateHistogram("muse.test", "s", "A test.", null, advice);
        foreach (double value in (double[])[0.25, 0.5, 0.75, 3]) histogram.Record(value, new KeyValuePair<string, object?>("a.b", "x\"y"));
        const string expected = "# HELP muse_test_seconds A test.\n# TYPE muse_test_seconds histogram\n"
            + "muse_test_seconds_bucket{a_b=\"x\\\"y\",le=\"0.5\"} 2\nmuse_test_seconds_bucket{a_b=\"x\\\"y\",le=\"1\"} 3\n"
            + "muse_test_seconds_bucket{a_b=\"x\\\"y\",le=\"+Inf\"} 4\nmuse_test_seconds_sum{a_b=\"x\\\"y\"} 4.5\n"
            + "muse_test_seconds_count{a_b=\"x\\\"y\"} 4\n";
        Assert.Equal(expected, reader.Read());
    }

    [Fact]
    public async Task Description_OfTheApi_HasEveryRoute_AndItsPageFetchesNothingFromOutside()
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        using JsonDocument document = JsonDocument.Parse(await Content(answer));
        JsonElement paths = document.RootElement.GetProperty("paths");
        Assert.True(paths.TryGetProperty("/api/v1/models/{id}/choose", out JsonElement choose));
        Assert.Equal("models", choose.GetProperty("post").GetProperty("tags")[0].GetString());
        using HttpResponseMessage page = await server.SendAsync(HttpMethod.Get, "/docs/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.DoesNotContain("//", (await Content(page)).Replace(server.Client.BaseAddress!.ToString(), "", StringComparison.Ordinal));
        string policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self' 'nonce-", policy, StringComparison.Ordinal);
        using HttpResponseMessage script = await server.SendAsync(HttpMethod.Get, "/docs/scalar.js");
        Assert.Equal(HttpStatusCode.OK, script.StatusCode);
    }

    private static Task<string> Content(HttpResponseMessage answer) =>
        answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
