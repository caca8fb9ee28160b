using System.Net;
using System.Net.Sockets;
using MuseAtelier.Cli;

namespace MuseAtelier.Tests.Cli;

public sealed class AtelierCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-atelier-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--port|many", "--port is 'many'", "from 0 to 65535")]
    [InlineData("--port|65536", "--port is '65536'")]
    [InlineData("--listen|everywhere", "--listen is 'everywhere'", "0.0.0.0 for all")]
    [InlineData("--listen|1", "--listen is '1'")]
    [InlineData("--vram|much", "--vram")]
    [InlineData("--model", "--model")]
    public async Task RunAsync_OfBadUsage_EndsWithTwoAndOneLine(string arguments, params string[] words)
    {
        MuseResult result = await Muse.RunAsync(["atelier", .. arguments.Split('|')]);
        result.AssertFailed(2, words);
    }

    [Fact]
    public async Task RunAsync_OfHelp_NamesTheDefaults()
    {
        MuseResult result = await Muse.RunAsync("atelier", "--help");
        Assert.Equal(0, result.Code);
        foreach (string word in (string[])["7860", "pictures in the working folder", "--token-file", "Exit codes: 0 done"])
            Assert.Contains(word, result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OfAModelThatIsMissing_FailsInOneLine() =>
        (await RunAsync(CancellationToken.None, "--model", Path.Combine(_folder, "gone.safetensors"))).AssertFailed(1, "gone.safetensors");

    [Fact]
    public async Task RunAsync_OfATokenFileThatIsMissing_FailsInOneLine() =>
        (await RunAsync(CancellationToken.None, "--token-file", Path.Combine(_folder, "gone")))
            .AssertFailed(1, "the token cannot be read from", "--token-file");

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("a token with spaces in it")]
    public async Task RunAsync_OfAnUnfitToken_FailsInOneLine(string token)
    {
        string file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, token, TestContext.Current.CancellationToken);
        (await RunAsync(CancellationToken.None, "--token-file", file)).AssertFailed(1, "is no token", "16 to 512");
    }

    [Fact]
    public async Task RunAsync_OfAPortInUse_NamesThePort()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        MuseResult result = await RunAsync(CancellationToken.None, "--port", $"{port}");
        result.AssertFailed(1, $"port {port} is in use", "--port");
    }

    [Theory]
    [InlineData(null, "^The atelier is open: http://127\\.0\\.0\\.1:[0-9]+/$")]
    [InlineData("0.0.0.0", "^The atelier is open: http://.+:[0-9]+/\\?token=[A-Za-z0-9_-]{43}$")]
    public async Task RunAsync_UntilItIsStopped_PrintsTheAddressAndEndsWithZero(string? listen, string expected)
    {
        using var stop = new CancellationTokenSource();
        using var lines = new StopAtFirstLine(stop);
        using var errors = new StringWriter();
        string[] listening = listen is null ? [] : ["--listen", listen];
        int code = await MuseCommand.RunAsync(
            ["atelier", "--port", "0", "--no-open", "--gallery", Path.Combine(_folder, "pictures"), "--cache", Muse.Cache, .. listening],
            Terminal.Plain(lines, errors, stop.Token));
        Assert.Equal((0, ""), (code, errors.ToString()));
        Assert.Matches(expected, lines.ToString().TrimEnd());
    }

    private Task<MuseResult> RunAsync(CancellationToken stop, params string[] args) => Muse.RunAsync(
        stop, ["atelier", "--no-open", "--gallery", Path.Combine(_folder, "pictures"), "--cache", Muse.Cache, .. args]);

    // The command ends as soon as it has said that it is ready.
    private sealed class StopAtFirstLine(CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            stop.Cancel();
        }
    }
}
