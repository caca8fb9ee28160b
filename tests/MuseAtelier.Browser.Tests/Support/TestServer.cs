using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Cpu;
using MuseAtelier.Server;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>The server in this process, with the Miniature and a gallery of its own.</summary>
public sealed class TestServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-browser-").FullName;
    private WebApplication? _app;
    private int _port;

    /// <summary>The folder of the pictures.</summary>
    public string Gallery => Path.Combine(_folder, "gallery");

    /// <summary>The folder of LoRAs, which has one: ink.safetensors with the title Ink &amp; Silk and the trigger word shuimo.</summary>
    public string Loras => Path.Combine(_folder, "loras");

    /// <summary>The address of the page, with a slash at its end. It stays the same when the server is started again.</summary>
    public string Address => FormattableString.Invariant($"http://127.0.0.1:{_port}/");

    /// <summary>Starts the server, at the same port if it ran before.</summary>
    public async Task StartAsync()
    {
        _app = AtelierServer.Build(
            new ServerOptions
            {
                Models = [Path.Combine(AppContext.BaseDirectory, "miniature.safetensors")],
                Atelier = new AtelierOptions
                {
                    // Threads that wait do not spin, because the browser needs the processor too.
                    Backend = CpuBackend.Create(spins: false),
                    CacheFolder = TestCache.Folder,
                    LoraFolders = [Loras],
                },
                Gallery = Gallery,
                Port = _port,
            });
        await _app.StartAsync();
        _port = new Uri(_app.Urls.First()).Port;
    }

    /// <summary>Stops the server; its folder stays.</summary>
    public async Task StopAsync()
    {
        if (_app is null) return;
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Stops what an earlier test left in the queue.</summary>
    public async Task StopJobsAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri(Address) };
        JsonElement list = await client.GetFromJsonAsync<JsonElement>("api/v1/jobs");
        foreach (JsonElement job in list.GetProperty("jobs").EnumerateArray())
        {
            bool isEnded = job.GetProperty("state").GetString() is "done" or "stopped" or "failed";
            if (!isEnded) (await client.DeleteAsync($"api/v1/jobs/{job.GetProperty("id").GetString()}")).Dispose();
        }
    }

    public async ValueTask InitializeAsync()
    {
        LoraFileOf.Write(Path.Combine(Loras, "ink.safetensors"), "Ink & Silk", "shuimo");
        if (TestBrowser.Executable is not null) await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
