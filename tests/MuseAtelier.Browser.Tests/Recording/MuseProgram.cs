using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace MuseAtelier.Browser.Tests.Recording;

/// <summary>Anonymous memory of a process at some moments, in bytes. Zero means that it was not read.</summary>
internal sealed record ProgramMemory
{
    /// <summary>Before the first picture, with the page open.</summary>
    public long AtFirst { get; init; }

    /// <summary>After the first picture.</summary>
    public long AfterOne { get; init; }

    /// <summary>After the last picture.</summary>
    public long AfterAll { get; init; }

    /// <summary>The most that was seen, sampled every 20 ms.</summary>
    public long Most { get; init; }
}

/// <summary>
/// The program <c>muse</c> as users run it, in a process of its own. The variable MUSE_PROGRAM names it; without it, the one that was built
/// beside the tests is run.
/// </summary>
internal sealed partial class MuseProgram : IAsyncDisposable
{
    /// <summary>Side of the pictures in px, and their steps.</summary>
    public const int Side = 512,
        Steps = 4;

    private readonly Process _process;
    private readonly Timer _timer;
    private long _most;

    private MuseProgram(string folder, params IEnumerable<string> arguments)
    {
        string program = Environment.GetEnvironmentVariable("MUSE_PROGRAM") is { Length: > 0 } given
            ? given
            : BesideTheTests();
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MUSE_CACHE"] = Path.Combine(folder, "cache");
        _process = Process.Start(start)!;
        _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));
        Output = _process.StandardOutput.ReadToEndAsync();
        Errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>The address of the page.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The most anonymous memory that was seen, in bytes.</summary>
    public long Most => Interlocked.Read(ref _most);

    private Task<string> Output { get; }

    private Task<string> Errors { get; }

    /// <summary>Paints pictures in a console, one process for one and one for all of them.</summary>
    public static async Task<ProgramMemory> RenderAsync(string folder, int count)
    {
        await RenderOnceAsync(folder, 1); // Exports the model.
        return new ProgramMemory { AfterOne = await RenderOnceAsync(folder, 1), Most = await RenderOnceAsync(folder, count) };
    }

    /// <summary>Starts <c>muse atelier</c> and waits until it answers.</summary>
    public static async Task<MuseProgram> ServeAsync(string folder)
    {
        int port = FreePort();
        string address = FormattableString.Invariant($"http://127.0.0.1:{port}/");
        string[] arguments = ["atelier", "--no-open", "--port", Text(port), "--gallery", Path.Combine(folder, "gallery")];
        var muse = new MuseProgram(folder, arguments) { Address = address };
        using var client = new HttpClient();
        for (int i = 0; i < 600; i++)
        {
            try
            {
                using HttpResponseMessage answer = await client.GetAsync(new Uri(address + "api/v1/state"));
                if (answer.IsSuccessStatusCode) return muse;
            }
            catch (HttpRequestException)
            {
                Assert.False(muse._process.HasExited, $"muse ended: {(muse._process.HasExited ? await muse.Errors : "")}");
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("muse atelier does not answer.");
    }

    // The same configuration's build: artifacts/bin/PROJECT/CONFIGURATION.
    private static string BesideTheTests()
    {
        string tests = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return Path.Combine(tests, "..", "..", "MuseAtelier.Cli", Path.GetFileName(tests), "muse");
    }

    /// <summary>Reads the anonymous memory, in bytes.</summary>
    public long Sample()
    {
        try
        {
            string status = File.ReadAllText(FormattableString.Invariant($"/proc/{_process.Id}/status"));
            long now = long.Parse(AnonymousKilobytes().Match(status).Groups[1].Value, CultureInfo.InvariantCulture) << 10;
            for (long most = Most; now > most; most = Most)
                if (Interlocked.CompareExchange(ref _most, now, most) == most) break;
            return now;
        }
        catch (Exception exception) when (exception is IOException or FormatException or InvalidOperationException)
        {
            return 0; // The process has ended.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<long> RenderOnceAsync(string folder, int count)
    {
        string place = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;
        string[] arguments =
        [
            "render", "a starry night", "-W", Text(Side), "-H", Text(Side), "--steps", Text(Steps), "--count", Text(count), "--batch", "1",
            "--out", Path.Combine(place, "picture.png"),
        ];
        await using var muse = new MuseProgram(folder, arguments);
        await muse._process.WaitForExitAsync();
        Assert.True(muse._process.ExitCode == 0, await muse.Errors);
        return muse.Most;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("RssAnon:\\s*(\\d+) kB")]
    private static partial Regex AnonymousKilobytes();
}
