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
        var direct = new Times();
        var byHttp = new Times();
        Times present = direct;
        using MeterListener listener = Listen((name, value) => present.Note(name, value * 1000));
        using var events = new StreamReader(await http.GetStreamAsync("api/v1/events"));
        // The first round of each kind loads what is loaded once.
        for (int round = -1; round < rounds; round++)
        {
            PictureRequest seeded = request with { Seed = (ulong)(round + 1) };
            present = direct;
            await direct.MeasureAsync(() => DirectAsync(atelier, seeded, folder, direct.Note));
            present = byHttp;
            await byHttp.MeasureAsync(() => ByHttpAsync(http, events, seeded, accepted => byHttp.Note("accepted", accepted)));
            if (round >= 0) continue;
            direct.Clear();
            byHttp.Clear();
        }

        double overhead = Median([.. byHttp.Pictures.Zip(direct.Pictures, (other, one) => other - one)]);
        report.Figure("overheadMs", overhead);
        direct.WriteTo(report, "direct");
        byHttp.WriteTo(report, "http");
        report.Figure("collections", GC.CollectionCount(2));
        report.Add("rounds", rounds);
        if (overhead > boundMs)
            report.Fail("slow", "the median", FormattableString.Invariant($"{overhead:F1} ms more by HTTP; allowed are {boundMs}"));
    }

    private static async Task<double> DirectAsync(
        IAtelier atelier, PictureRequest request, StormFolder folder, Action<string, double> note)
    {
        string path = folder.Place("direct.png");
        long begin = Stopwatch.GetTimestamp();
        using Picture picture = await atelier.GenerateAsync(request);
        double generated = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        await PictureFile.WriteAsync(picture, path, new PictureFileOptions { Overwrite = true });
        double written = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        note("generated", generated);
        note("written", written - generated);
        return written;
    }

    // From sending the request until the event that says that the job is done and its picture is in the gallery.
    private static async Task<double> ByHttpAsync(
        HttpClient http, StreamReader events, PictureRequest request, Action<double> accepted)
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
        accepted(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
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

    // Steps by the name "step", and the phases by their own.
    private static MeterListener Listen(Action<string, double> note)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, own) =>
            {
                bool isAtelier = instrument.Meter.Name == AtelierTelemetry.MeterName;
                if (isAtelier && instrument.Name is AtelierTelemetry.StepDuration or AtelierTelemetry.PhaseDuration)
                    own.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => note(NameOf(instrument, tags), value));
        listener.Start();
        return listener;
    }

    private static string NameOf(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (instrument.Name == AtelierTelemetry.StepDuration) return "step";
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            if (tag.Key == AtelierTelemetry.PhaseTag && tag.Value is string phase) return phase;
        }

        return "phase";
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }

    // What the pictures of a kind took, in ms, and the memory that they allocated.
    private sealed class Times
    {
        private readonly Dictionary<string, List<double>> _parts = [];
        private long _bytes;

        public List<double> Pictures { get; } = [];

        public void Note(string part, double ms)
        {
            lock (_parts)
            {
                if (!_parts.TryGetValue(part, out List<double>? values)) _parts[part] = values = [];
                values.Add(ms);
            }
        }

        public async Task MeasureAsync(Func<Task<double>> paint)
        {
            long before = GC.GetTotalAllocatedBytes();
            Pictures.Add(await paint());
            _bytes += GC.GetTotalAllocatedBytes() - before;
        }

        public void Clear()
        {
            Pictures.Clear();
            lock (_parts) _parts.Clear();
            _bytes = 0;
        }

        public void WriteTo(StormReport report, string kind)
        {
            report.Figure($"{kind}Ms", Median(Pictures));
            report.Figure($"{kind}AllocatedKiB", _bytes / 1024.0 / Pictures.Count);
            lock (_parts)
            {
                foreach ((string part, List<double> values) in _parts)
                {
                    report.Figure($"{kind}.{part}.medianMs", Median(values));
                    report.Figure($"{kind}.{part}.mostMs", values.Max());
                    report.Figure($"{kind}.{part}.sumMs", values.Sum() / Pictures.Count);
                }
            }
        }
    }
}
