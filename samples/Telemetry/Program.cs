// Shows the metrics and the activities of an atelier in OpenTelemetry's console exporter, and the metrics for Prometheus at /metrics:
//   Telemetry --MuseAtelier:Model=models/miniature/miniature.safetensors --urls=http://localhost:5081
// It paints a picture every half a minute. With --once it paints one, prints all of that, and ends.
using MuseAtelier;
using MuseAtelier.Cpu;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddMuseAtelier(builder.Configuration.GetSection("MuseAtelier"), options =>
{
    options.Backend = CpuBackend.Create();
    options.WatchMemory = true;
});
builder.Services.AddOpenTelemetry()
    .WithMetrics(metrics => metrics.AddMeter(AtelierTelemetry.MeterName).AddConsoleExporter().AddPrometheusExporter())
    .WithTracing(traces => traces.AddSource(AtelierTelemetry.ActivitySourceName).AddConsoleExporter());
WebApplication app = builder.Build();
app.MapPrometheusScrapingEndpoint();
await app.StartAsync();
IAtelier atelier = app.Services.GetRequiredService<IAtelier>();
var request = new PictureRequest { Prompt = "a lighthouse in a storm", Width = 256, Height = 256, Steps = 2, Seed = 42 };
if (args.Contains("--once"))
{
    (await atelier.GenerateAsync(request)).Dispose();
    using var client = new HttpClient();
    Console.WriteLine(await client.GetStringAsync(new Uri(new Uri(app.Urls.First()), "/metrics")));
    app.Services.GetRequiredService<MeterProvider>().ForceFlush();
    await app.StopAsync();
    return;
}

CancellationToken stopping = app.Lifetime.ApplicationStopping;
while (!stopping.IsCancellationRequested)
{
    (await atelier.GenerateAsync(request)).Dispose();
    await Task.Delay(TimeSpan.FromSeconds(30), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}

await app.WaitForShutdownAsync();
