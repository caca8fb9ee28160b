using System.CommandLine;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Server.Models;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>
/// Measures what a picture by HTTP takes beside <see cref="IAtelier.GenerateAsync"/> and writing the same file, by turns on one atelier,
/// with a reader of events, so that previews are encoded.
/// </summary>
internal static class HttpStorm
{
    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        Option<int> rounds = StormCommand.Number("--rounds", "Pictures of each kind.", 30);
        Option<int> size = StormCommand.Number("--size", "Width and height in px.", 256);
        Option<int> steps = StormCommand.Number("--steps", "Steps.", 4);
        Option<int> bound = StormCommand.Number("--bound-ms", "ms that a picture by HTTP may take more, at the median.", 15);
        var model = new Option<string?>("--model") { Description = "A checkpoint or package; without it the Miniature." };
        return StormCommand.Storm(
            "http",
            "Measures a picture by HTTP beside one that is painted and written directly.",
            [device, rounds, size, steps, bound, model],
            (result, report) =>
                RunAsync(
                    result.GetValue(device),
                    result.GetValue(model),
                    result.GetValue(rounds),
                    new PictureRequest
                    {
                        Prompt = "a heron in the reeds",
                        Width = result.GetValue(size),
                        Height = result.GetValue(size),
                        Steps = result.GetValue(steps),
                    },
                    result.GetValue(bound),
                    report
                )
        );
    }

    public static async Task RunAsync(
        StormDevice device,
        string? model,
        int rounds,
        PictureRequest request,
        int boundMs,
        StormReport report
    )
    {
        using var folder = new StormFolder();
        ServerOptions options = ServeRun.Options(device, folder.Cache, folder.Place("gallery"));
        await using WebApplication app = AtelierServer.Build(model is null ? options : options with { Models = [model] });
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        IModelShelf shelf = app.Services.GetRequiredService<IModelShelf>();
        IAtelier atelier = await shelf.OpenAsync(shelf.Current!, progress: null, CancellationToken.None);
        report.Device = atelier.Device;
        List<double> direct = [],
            byHttp = [],
            directSteps = [],
            httpSteps = [];
        long directBytes = 0, httpBytes = 0;
        List<double> steps = directSteps;
        using MeterListener listener = Listen(value => steps.Add(value * 1000));
        using var events = new StreamReader(await http.GetStreamAsync("api/v1/events"));
        // The first round of each kind loads what is loaded once.
        for (int round = -1; round < rounds; round++)
        {
            steps = directSteps;
            long before = GC.GetTotalAllocatedBytes();
            double one = await DirectAsync(atelier, request with { Seed = (ulong)(round + 1) }, folder);
            long between = GC.GetTotalAllocatedBytes();
            steps = httpSteps;
            double other = await ByHttpAsync(http, events, request with { Seed = (ulong)(round + 1) });
            if (round < 0)
            {
                directSteps.Clear();
                httpSteps.Clear();
                continue;
            }

            direct.Add(one);
            byHttp.Add(other);
            directBytes += between - before;
            httpBytes += GC.GetTotalAllocatedBytes() - between;
        }

        double overhead = Median([.. byHttp.Zip(direct, (other, one) => other - one)]);
        report.Figure("directMs", Median(direct));
        report.Figure("httpMs", Median(byHttp));
        report.Figure("overheadMs", overhead);
        report.Figure("directStepMs", Median(directSteps));
        report.Figure("httpStepMs", Median(httpSteps));
        report.Figure("directAllocatedKiB", directBytes / 1024.0 / rounds);
        report.Figure("httpAllocatedKiB", httpBytes / 1024.0 / rounds);
        report.Figure("collections", GC.CollectionCount(2));
        report.Add("rounds", rounds);
        if (overhead > boundMs)
            report.Fail("slow", "the median", FormattableString.Invariant($"{overhead:F1} ms more by HTTP; allowed are {boundMs}"));
    }

    private static async Task<double> DirectAsync(IAtelier atelier, PictureRequest request, StormFolder folder)
    {
        string path = folder.Place("direct.png");
        long begin = Stopwatch.GetTimestamp();
        using (Picture picture = await atelier.GenerateAsync(request))
            await PictureFile.WriteAsync(picture, path, new PictureFileOptions { Overwrite = true });
        return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    // From sending the request until the event that says that the job is done and its picture is in the gallery.
    private static async Task<double> ByHttpAsync(HttpClient http, StreamReader events, PictureRequest request)
    {
        string json = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {
              "prompt": "{{request.Prompt}}", "width": {{request.Width}}, "height": {{request.Height}}, "steps": {{request.Steps}},
              "seed": {{request.Seed}}
            }
            """
        );
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        long begin = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await http.PostAsync("api/v1/jobs", body);
        string id = (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!;
        string type = "";
        while (await events.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                type = line["event: ".Length..];
            if (type != "job" || !line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            JsonNode job = JsonNode.Parse(line["data: ".Length..])!;
            if ((string?)job["id"] != id)
                continue;
            if ((string?)job["state"] is "failed" or "stopped")
                throw new InvalidOperationException(line);
            if ((string?)job["state"] == "done")
                return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        }

        throw new InvalidOperationException("The stream of events has ended.");
    }

    private static MeterListener Listen(Action<double> step)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                bool isStep = instrument.Meter.Name == AtelierTelemetry.MeterName && instrument.Name == AtelierTelemetry.StepDuration;
                if (isStep)
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => step(value));
        listener.Start();
        return listener;
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }
}
