using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Requests;

/// <summary>
/// The server with the Miniature in this process, beside files that it must not read or change. A task of its own stops jobs that are
/// older than a second, so that no answer waits for a long picture and the queue stays short.
/// </summary>
internal sealed class FuzzedServer : IAsyncDisposable
{
    /// <summary>The limit of uploads.</summary>
    public const int UploadBytes = 1 << 20;

    /// <summary>A text that stands in the files outside of the gallery, and must stand in no answer.</summary>
    public const string Secret = "4b1d-these-words-lie-outside-of-the-gallery";

    private static readonly TimeSpan Oldest = TimeSpan.FromSeconds(1);

    private readonly StormFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WebApplication _app;
    private readonly string _outside;
    private readonly StormReport _report;
    private readonly ConcurrentQueue<string> _log = new();
    private Task _sweeping = Task.CompletedTask;

    private FuzzedServer(StormReport report)
    {
        _report = report;
        WriteOutside();
        RouteSeeds.WriteGallery(_folder.Place("gallery"));
        _outside = DigestOutside();
        _app = AtelierServer.Build(
            new ServerOptions
            {
                Models = [StormFolder.Model],
                Atelier = new AtelierOptions { Backend = StormDevice.Cpu.Create(), CacheFolder = _folder.Cache },
                Gallery = _folder.Place("gallery"),
                Port = 0,
                Log = line => _log.Enqueue(line),
                Limits = new ServerLimits
                {
                    Pixels = 256 * 384,
                    Count = 2,
                    WaitingJobs = 16,
                    UploadBytes = UploadBytes,
                    EventStreams = 8,
                },
            }
        );
    }

    /// <summary>The port.</summary>
    public int Port { get; private set; }

    /// <summary>Host and port, as the header has them.</summary>
    public string Host => FormattableString.Invariant($"127.0.0.1:{Port}");

    /// <summary>The folder with the gallery, the cache, and what lies outside of both.</summary>
    public string Folder => _folder.Path;

    /// <summary>The id of a job that was accepted lately; null before the first.</summary>
    public string? LatestJob { get; private set; }

    /// <summary>Takes what the server wrote into its log since it was asked last.</summary>
    public string TakeLog()
    {
        var lines = new List<string>();
        while (_log.TryDequeue(out string? line))
            lines.Add(line);
        return string.Join('\n', lines);
    }

    /// <summary>Starts a server and paints a picture, so that the model is open.</summary>
    public static async Task<FuzzedServer> StartAsync(StormReport report)
    {
        var server = new FuzzedServer(report);
        await server._app.StartAsync();
        server.Port = new Uri(server._app.Urls.First()).Port;
        await server.PaintAsync();
        server._sweeping = Task.Run(server.SweepAsync);
        return server;
    }

    /// <summary>Says what changed outside of the gallery and the cache; null if nothing did.</summary>
    public string? ChangeOutside()
    {
        string now = DigestOutside();
        return now == _outside ? null : $"before:\n{_outside}\nafter:\n{now}";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sweeping;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
        _stop.Dispose();
    }

    private void WriteOutside()
    {
        File.WriteAllText(_folder.Place("secret.txt"), Secret);
        Directory.CreateDirectory(_folder.Place("outside"));
        Picture picture = StormPicture.Numbered(0);
        PictureFile.Write(
            StormPicture.Of(picture.Request with { Prompt = Secret }, picture.Width, picture.Height, picture.Pixels.ToArray()),
            _folder.Place("outside/picture.png")
        );
    }

    private string DigestOutside() =>
        string.Join(
            '\n',
            from path in Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories)
            let name = Path.GetRelativePath(_folder.Path, path).Replace('\\', '/')
            where name.Split('/')[0] is not ("gallery" or "cache")
            orderby name
            let digest = Directory.Exists(path) ? "folder" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))
            select $"{name} {digest} {File.GetLastWriteTimeUtc(path):O}"
        );

    private async Task PaintAsync()
    {
        using var client = new RawClient(Port);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        RawAnswer accepted = await CallAsync(
            client, "POST", "/api/v1/jobs", """{"prompt":"a","width":256,"height":256,"steps":1,"seed":1}""", patience.Token);
        if (accepted.Status != 202)
            throw new InvalidOperationException($"The first job was not accepted: {accepted}");
        string id = JsonDocument.Parse(accepted.Body).RootElement.GetProperty("id").GetString()!;
        while (true)
        {
            RawAnswer answer = await CallAsync(client, "GET", $"/api/v1/jobs/{id}", null, patience.Token);
            string state = JsonDocument.Parse(answer.Body).RootElement.GetProperty("state").GetString()!;
            if (state == "done")
                return;
            if (state is "failed" or "stopped")
                throw new InvalidOperationException($"The first job ended: {answer}");
            await Task.Delay(50, patience.Token);
        }
    }

    private async Task SweepAsync()
    {
        using var client = new RawClient(Port);
        try
        {
            while (true)
            {
                await Task.Delay(250, _stop.Token);
                RawAnswer answer = await CallAsync(client, "GET", "/api/v1/jobs", null, _stop.Token);
                using JsonDocument json = JsonDocument.Parse(answer.Body);
                foreach (JsonElement job in json.RootElement.GetProperty("jobs").EnumerateArray())
                    await SweepAsync(client, job);
            }
        }
        catch (OperationCanceledException)
        {
            // The storm has ended.
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            _report.Fail("sweeping", "GET /api/v1/jobs", exception.Message);
        }
    }

    private async Task SweepAsync(RawClient client, JsonElement job)
    {
        string id = job.GetProperty("id").GetString()!,
            state = job.GetProperty("state").GetString()!;
        LatestJob = id;
        if (state is "done" or "stopped" or "failed" || DateTimeOffset.UtcNow - job.GetProperty("accepted").GetDateTimeOffset() < Oldest)
            return;
        await CallAsync(client, "DELETE", $"/api/v1/jobs/{id}", null, _stop.Token);
        _report.Add("jobs.stopped");
    }

    private async Task<RawAnswer> CallAsync(
        RawClient client, string method, string target, string? body, CancellationToken cancellationToken)
    {
        var draft = new RequestDraft
        {
            Method = method,
            Target = target,
            Body = body is null ? null : System.Text.Encoding.UTF8.GetBytes(body),
        };
        draft.Headers.Add(("Host", Host));
        draft.Headers.Add(("Content-Type", "application/json"));
        byte[] bytes = draft.Finish(new Random(0)).Bytes;
        return await client.SendAsync(bytes, isLast: false, method, cancellationToken)
            ?? throw new InvalidOperationException($"{method} {target} was not answered.");
    }
}
