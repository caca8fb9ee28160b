using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Serving;

/// <summary>
/// Clients send jobs to a server while others read its events slowly or leave; in the middle the server is killed and started again.
/// </summary>
internal sealed class ServerStorm : IDisposable
{
    private const double MiB = 1 << 20;

    // Seeds tell the jobs apart: client, number and attempt.
    private const int SeedsOfAJob = 1000;

    private readonly ServerStormOptions _options;
    private readonly StormReport _report;
    private readonly StormFolder _folder = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ConcurrentDictionary<ulong, string> _accepted = new();
    private readonly CancellationTokenSource _finished = new();
    private ServerProcess _server = null!;
    private long _lastPainted;

    private ServerStorm(ServerStormOptions options, StormReport report)
    {
        _options = options;
        _report = report;
    }

    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        Option<int> jobs = StormCommand.Number("--jobs", "Jobs in all.", 200);
        Option<int> clients = StormCommand.Number("--clients", "Clients that send them.", 20);
        Option<int> readers = StormCommand.Number("--readers", "Readers of events, of which many are slow or never read.", 12);
        Option<int> size = StormCommand.Number("--size", "Width and height in px.", 256);
        Option<int> steps = StormCommand.Number("--steps", "Steps.", 1);
        Option<int> seed = StormCommand.Number("--seed", "Seed of the times at which clients act.", 1);
        Option<int> bound = StormCommand.Number("--bound-mib", "MiB by which the server's anonymous memory may grow once it is warm.", 48);
        Option<int> hang = StormCommand.Number("--hang-seconds", "Seconds in which a picture has to be painted.", 300);
        return StormCommand.Storm(
            "server",
            "Sends jobs to a server that is killed and started again in the middle; no accepted job may be lost or painted twice.",
            [device, jobs, clients, readers, size, steps, seed, bound, hang],
            (result, report) =>
                RunAsync(
                    new ServerStormOptions
                    {
                        Device = result.GetValue(device),
                        Jobs = result.GetValue(jobs),
                        Clients = result.GetValue(clients),
                        Readers = result.GetValue(readers),
                        Size = result.GetValue(size),
                        Steps = result.GetValue(steps),
                        Seed = result.GetValue(seed),
                        BoundMib = result.GetValue(bound),
                        HangSeconds = result.GetValue(hang),
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(ServerStormOptions options, StormReport report)
    {
        using var storm = new ServerStorm(options, report);
        await storm.RunAsync();
    }

    public void Dispose()
    {
        _http.Dispose();
        _finished.Dispose();
        _folder.Dispose();
    }

    private string PaintedPath => _folder.Place("painted.txt");

    private async Task RunAsync()
    {
        _server = await ServerProcess.StartAsync(_options.Device, _folder);
        try
        {
            Task[] readers = [.. Enumerable.Range(0, _options.Readers).Select(number => Task.Run(() => ReadEventsAsync(number)))];
            Task work = WorkAsync();
            await _report.WatchAsync("the server", work, () => Interlocked.Read(ref _lastPainted), _options.HangSeconds);
            await _finished.CancelAsync();
            await Task.WhenAll(readers);
            if (_report.Hung)
                return;
            ChildResult end = await _server.EndAsync();
            if (end.ExitCode != 0)
                _report.Fail("exitCode", "the end", end.Describe());
            StormPictures.Check(_accepted, _folder.Place("gallery"), PaintedPath, _report);
        }
        finally
        {
            await _server.DisposeAsync();
        }
    }

    private async Task WorkAsync()
    {
        Task clients = Task.WhenAll(Enumerable.Range(0, _options.Clients).Select(number => Task.Run(() => SendAsync(number))));
        List<double> held = [];
        await UntilPaintedAsync(_options.Jobs * 2 / 5, held);
        _report.Figure("memory.beforeTheKillMib", held.Count > 0 ? held[^1] : 0);
        Compare("before the kill", held);
        await _server.KillAsync();
        _report.Add("kills");
        _server = await ServerProcess.StartAsync(_options.Device, _folder);
        await clients;
        held.Clear();
        await UntilPaintedAsync(int.MaxValue, held);
        _report.Figure("memory.atTheEndMib", held.Count > 0 ? held[^1] : 0);
        Compare("after the kill", held);
    }

    // Waits until so many pictures are painted or no job is left, and measures memory meanwhile.
    private async Task UntilPaintedAsync(int count, List<double> held)
    {
        while (true)
        {
            int painted = File.Exists(PaintedPath) ? StormPictures.ReadPainted(PaintedPath).Count : 0;
            Interlocked.Exchange(ref _lastPainted, painted);
            if (painted > 0 && _server.AnonymousBytes is { } bytes)
                held.Add(bytes / MiB);
            if (painted >= count)
                return;
            JsonNode? jobs = await TryGetAsync("api/v1/jobs");
            bool isDone = jobs?["jobs"]!.AsArray().All(job => (string?)job!["state"] is "done" or "stopped" or "failed") ?? false;
            if (count == int.MaxValue && isDone)
                return;
            await Task.Delay(250);
        }
    }

    // The first pictures load everything that is loaded once.
    private void Compare(string when, List<double> held)
    {
        int warm = held.Count / 3;
        if (held.Count < 6)
            return;
        double begin = held[warm],
            most = held.Skip(warm).Max();
        _report.Figure($"memory.grown {when} (MiB)", most - begin);
        if (most - begin > _options.BoundMib)
            _report.Fail("grown", when, FormattableString.Invariant($"{most - begin:F1} MiB; allowed are {_options.BoundMib}"));
    }

    private async Task SendAsync(int client)
    {
        var random = new Random(_options.Seed * 1000 + client);
        int count = (_options.Jobs / _options.Clients) + (client < _options.Jobs % _options.Clients ? 1 : 0);
        for (int number = 0; number < count; number++)
        {
            ulong seed = (ulong)(((client * _options.Jobs) + number + 1) * SeedsOfAJob);
            while (!await TrySendAsync(seed, leaves: random.Next(10) == 0))
            {
                // Another attempt is another job: the server may have accepted the one whose answer was lost.
                seed++;
                await Task.Delay(20 + random.Next(100));
            }

            await Task.Delay(random.Next(60));
        }
    }

    private async Task<bool> TrySendAsync(ulong seed, bool leaves)
    {
        string json = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {
              "prompt": "a heron in the reeds", "width": {{_options.Size}}, "height": {{_options.Size}}, "steps": {{_options.Steps}},
              "seed": {{seed}}
            }
            """
        );
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var leaving = new CancellationTokenSource(leaves ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromSeconds(30));
        try
        {
            using HttpResponseMessage answer = await _http.PostAsync(new Uri(_server.Address, "api/v1/jobs"), body, leaving.Token);
            string text = await answer.Content.ReadAsStringAsync(leaving.Token);
            _report.Add($"answers.{(int)answer.StatusCode}");
            if (answer.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.TooManyRequests or HttpStatusCode.Conflict))
                _report.Fail("status", $"seed {seed}", text);
            if (answer.StatusCode != HttpStatusCode.Accepted)
                return false;
            _accepted[seed] = (string)JsonNode.Parse(text)!["id"]!;
            _report.Add("accepted");
            return true;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            _report.Add(leaves ? "left" : "unreachable");
            return false;
        }
    }

    // One of three kinds: reads slowly, does not read at all, or reads at once; each leaves after a while and comes back.
    private async Task ReadEventsAsync(int number)
    {
        var random = new Random(_options.Seed + number);
        byte[] buffer = new byte[number % 3 == 0 ? 64 : 65536];
        while (!_finished.IsCancellationRequested)
        {
            using var stay = CancellationTokenSource.CreateLinkedTokenSource(_finished.Token);
            stay.CancelAfter(TimeSpan.FromMilliseconds(1000 + random.Next(8000)));
            try
            {
                using HttpResponseMessage answer = await _http.GetAsync(
                    new Uri(_server.Address, "api/v1/events"),
                    HttpCompletionOption.ResponseHeadersRead,
                    stay.Token
                );
                _report.Add($"streams.{(int)answer.StatusCode}");
                await using Stream events = await answer.Content.ReadAsStreamAsync(stay.Token);
                if (number % 3 == 1)
                    await Task.Delay(Timeout.Infinite, stay.Token);
                while (await events.ReadAsync(buffer, stay.Token) > 0)
                    if (number % 3 == 0)
                        await Task.Delay(50, stay.Token);
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
            {
                await Task.Delay(20);
            }
        }
    }

    private async Task<JsonNode?> TryGetAsync(string route)
    {
        try
        {
            return JsonNode.Parse(await _http.GetStringAsync(new Uri(_server.Address, route)));
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }
}
