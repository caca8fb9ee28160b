using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Security;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>The routes of jobs and events on a free port, over an atelier that is open.</summary>
internal sealed class JobServer : IAsyncDisposable
{
    private JobServer(WebApplication app)
    {
        App = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(60) };
    }

    public WebApplication App { get; }

    public HttpClient Client { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<JobServer> StartAsync(IAtelier atelier, MemoryGallery gallery)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(
            new ServerOptions { Models = [], Atelier = TestAtelier.Options, Gallery = gallery.Folder });
        builder.Services.AddSingleton<IGallery>(gallery);
        builder.Services.AddSingleton<IModelShelf>(new OneShelf(atelier));
        builder.Services.AddSingleton(new GalleryFolders(gallery.Folder));
        builder.Services.AddSingleton<UpscalerShelf>();
        builder.AddAdapters();
        builder.AddEvents();
        builder.AddUploads();
        builder.AddJobs();
        WebApplication app = builder.Build();
        app.UseMiddleware<LastResort>();
        app.MapEvents();
        app.MapJobs();
        app.MapUploads();
        await app.StartAsync(Token);
        return new JobServer(app);
    }

    /// <summary>Sends a body, and reads the answer's JSON.</summary>
    public async Task<(int Status, JsonNode Json)> SendAsync(HttpMethod method, string route, HttpContent? body = null)
    {
        using var message = new HttpRequestMessage(method, route) { Content = body };
        using HttpResponseMessage answer = await Client.SendAsync(message, Token);
        return ((int)answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>(Token))!);
    }

    /// <summary>Sends JSON.</summary>
    public Task<(int Status, JsonNode Json)> PostAsync(string route, string json) =>
        SendAsync(HttpMethod.Post, route, new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>The events from now on, as type and data. Ends when the server ends the stream.</summary>
    public async IAsyncEnumerable<(string Type, JsonNode Data)> EventsAsync()
    {
        using HttpResponseMessage answer = await Client.GetAsync("/api/v1/events", HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Token));
        string type = "";
        while (await lines.ReadLineAsync(Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) type = line["event: ".Length..];
            if (line.StartsWith("data: ", StringComparison.Ordinal)) yield return (type, JsonNode.Parse(line["data: ".Length..])!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync(Token);
        await App.DisposeAsync();
    }
}
