using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using MuseAtelier.Server;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Host;

/// <summary>A server on a free port with the narrow model and a gallery of its own; the classes of a fixture share one.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-server-").FullName;
    private readonly Func<string, ServerOptions> _options;
    private WebApplication? _app;

    public RunningServer()
        : this(Options)
    {
    }

    private RunningServer(Func<string, ServerOptions> options) => _options = options;

    /// <summary>Asks the server; sends nothing that a browser would.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>The server's services.</summary>
    public IServiceProvider Services => _app!.Services;

    /// <summary>The options of a server whose gallery lies in a folder.</summary>
    internal static ServerOptions Options(string folder) => new()
    {
        Models = [NarrowAtelier.Checkpoint],
        Atelier = TestAtelier.Options,
        Gallery = Path.Combine(folder, "gallery"),
        Port = 0,
    };

    /// <summary>Starts a server with other options; the caller disposes it.</summary>
    internal static async Task<RunningServer> StartAsync(Func<ServerOptions, ServerOptions> change)
    {
        var server = new RunningServer(folder => change(Options(folder)));
        await server.InitializeAsync();
        return server;
    }

    public async ValueTask InitializeAsync()
    {
        _app = AtelierServer.Build(_options(_folder));
        await _app.StartAsync(TestContext.Current.CancellationToken);
        // Redirects are part of what is tested.
        var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
        Client = new HttpClient(handler) { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app!.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Sends a request with headers, each written as "Name: value".</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params string[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (string header in headers)
        {
            string[] parts = header.Split(": ", 2);
            request.Headers.TryAddWithoutValidation(parts[0], parts[1]);
        }

        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a body of a type.</summary>
    public async Task<HttpResponseMessage> PostAsync(string path, string body, string? type)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        return await Client.PostAsync(path, content, TestContext.Current.CancellationToken);
    }

    /// <summary>Asserts that an answer is a problem, and returns its message.</summary>
    public static async Task<string> AssertProblemAsync(HttpResponseMessage answer, int status, string kind)
    {
        string body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)answer.StatusCode);
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement problem = document.RootElement.GetProperty("problem");
        Assert.Equal(kind, problem.GetProperty("kind").GetString());
        return problem.GetProperty("message").GetString()!;
    }
}
