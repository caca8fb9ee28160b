// Paints over HTTP. Run it with a model, and ask it for a picture:
//   WebEndpoint --MuseAtelier:Model=models/miniature/miniature.safetensors --urls=http://localhost:5080
//   curl -N -X POST localhost:5080/pictures -H "Content-Type: application/json" -d '{"prompt":"a lighthouse","steps":4,"size":256}'
// The answer is a stream of events: the place in the queue, each step, and at the end where the PNG is. With --once the program asks itself
// for one picture in this way, prints the events, and ends.
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MuseAtelier;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddMuseAtelier(builder.Configuration.GetSection("MuseAtelier"), options => options.Backend = CpuBackend.Create());
builder.Services.AddHealthChecks().AddMuseAtelier();
builder.Services.AddSingleton<Gallery>();
WebApplication app = builder.Build();
app.MapHealthChecks("/health", new HealthCheckOptions
{
    // Balancers send no requests here while the model is being opened or the queue is full.
    ResultStatusCodes = { [HealthStatus.Degraded] = StatusCodes.Status503ServiceUnavailable },
});
app.MapPost("/pictures", (Wish wish, IAtelier atelier, Gallery gallery, CancellationToken disconnected) =>
    TypedResults.ServerSentEvents(Painting.EventsAsync(wish, atelier, gallery, disconnected)));
app.MapGet("/pictures/{id}.png", (string id, Gallery gallery) =>
    gallery.Find(id) is { } png ? Results.Bytes(png, "image/png") : Results.NotFound());
if (!args.Contains("--once"))
{
    await app.RunAsync();
    return;
}

await app.StartAsync();
await Caller.AskAsync(app.Urls.First());
await app.StopAsync();

/// <summary>The body of a request.</summary>
internal sealed record Wish
{
    public required string Prompt { get; init; }

    public int Steps { get; init; } = 20;

    public int Size { get; init; } = 512;

    public ulong Seed { get; init; } = 42;
}

/// <summary>An event of a picture: its progress, and its address when it is finished.</summary>
internal sealed record PaintingEvent
{
    public required string Phase { get; init; }

    public int? QueuePosition { get; init; }

    public int Step { get; init; }

    public int Steps { get; init; }

    public string? Url { get; init; }

    public string? Error { get; init; }
}

/// <summary>Keeps the last pictures in memory.</summary>
internal sealed class Gallery
{
    private const int Most = 20;
    private readonly Lock _gate = new();
    private readonly Queue<(string Id, byte[] Png)> _pictures = new();

    public string Add(byte[] png)
    {
        string id = Guid.NewGuid().ToString("n");
        lock (_gate)
        {
            _pictures.Enqueue((id, png));
            if (_pictures.Count > Most) _pictures.Dequeue();
        }

        return id;
    }

    public byte[]? Find(string id)
    {
        lock (_gate) return _pictures.FirstOrDefault(picture => picture.Id == id).Png;
    }
}

/// <summary>Paints a picture and reports its progress as events.</summary>
internal static class Painting
{
    public static async IAsyncEnumerable<SseItem<PaintingEvent>> EventsAsync(
        Wish wish, IAtelier atelier, Gallery gallery, [EnumeratorCancellation] CancellationToken disconnected)
    {
        // The engine reports on its own thread and must not wait for the network: the events wait here instead.
        Channel<PaintingEvent> events = Channel.CreateUnbounded<PaintingEvent>();
        Task painting = PaintAsync(wish, atelier, gallery, events.Writer, disconnected);
        await foreach (PaintingEvent each in events.Reader.ReadAllAsync(disconnected))
            yield return new SseItem<PaintingEvent>(each, each.Url is null ? "progress" : "picture");
        await painting;
    }

    private static async Task PaintAsync(
        Wish wish, IAtelier atelier, Gallery gallery, ChannelWriter<PaintingEvent> events, CancellationToken disconnected)
    {
        try
        {
            var request = new PictureRequest
            {
                Prompt = wish.Prompt,
                Width = wish.Size,
                Height = wish.Size,
                Steps = wish.Steps,
                Seed = wish.Seed,
            };
            using Picture picture = await atelier.GenerateAsync(request, new Sink(events), disconnected);
            using var png = new MemoryStream();
            await PictureFile.EncodeAsync(picture, png, PictureFormat.Png, cancellationToken: disconnected);
            string id = gallery.Add(png.ToArray());
            events.TryWrite(new PaintingEvent { Phase = "Finished", Url = $"/pictures/{id}.png" });
        }
        catch (MuseAtelierException exception)
        {
            // The message says what was found, what is expected and what to do, and names no secrets of the server but paths.
            events.TryWrite(new PaintingEvent { Phase = "Failed", Error = exception.Message });
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the server stops: nobody reads on.
        }
        finally
        {
            events.TryComplete();
        }
    }

    private sealed class Sink(ChannelWriter<PaintingEvent> events) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value) => events.TryWrite(new PaintingEvent
        {
            Phase = value.Phase.ToString(),
            QueuePosition = value.QueuePosition,
            Step = value.Step,
            Steps = value.Steps,
        });
    }
}

/// <summary>Asks the running program for one picture, as a browser would.</summary>
internal static class Caller
{
    public static async Task AskAsync(string address)
    {
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        Console.WriteLine($"health: {await HealthAsync(client)}");
        using var post = new HttpRequestMessage(HttpMethod.Post, "/pictures")
        {
            Content = JsonContent.Create(new { prompt = "a lighthouse in a storm", steps = 2, size = 256 }),
        };
        using HttpResponseMessage answer = await client.SendAsync(post, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        string? last = null;
        using var events = new StreamReader(await answer.Content.ReadAsStreamAsync());
        while (await events.ReadLineAsync() is { } line)
        {
            Console.WriteLine(line);
            if (line.StartsWith("data: ", StringComparison.Ordinal)) last = line[6..];
        }

        using JsonDocument picture = JsonDocument.Parse(last!);
        string url = picture.RootElement.GetProperty("url").GetString()!;
        byte[] png = await client.GetByteArrayAsync(url);
        Console.WriteLine($"{url}: {png.Length} bytes, health: {await HealthAsync(client)}");
    }

    private static async Task<string> HealthAsync(HttpClient client)
    {
        using HttpResponseMessage health = await client.GetAsync("/health");
        return await health.Content.ReadAsStringAsync();
    }
}
