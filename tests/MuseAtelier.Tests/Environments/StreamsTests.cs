using MuseAtelier.Cli;
using MuseAtelier.Cli.Streams;
using MuseAtelier.Tests.Cli;
using Spectre.Console;

namespace MuseAtelier.Tests.Environments;

public sealed class StreamsTests
{
    [Fact]
    public async Task RunAsync_WithAStderrThatFails_DoesItsWork()
    {
        using StringWriter results = new();
        using var broken = new BrokenWriter();
        var terminal = Terminal.Of(new GuardedWriter(results), false, new GuardedWriter(broken), false);
        Assert.Equal(1, await MuseCommand.RunAsync(["plan", "--vram", "1MiB"], terminal));
        Assert.Equal(0, await MuseCommand.RunAsync(["tokens", "cat", "--json"], terminal));
        Assert.Contains("clip_l", results.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_WithoutATerminal_HasNoColours()
    {
        using StringWriter results = new(), errors = new();
        var terminal = Terminal.Of(new GuardedWriter(results), false, new GuardedWriter(errors), false);
        Assert.False(terminal.OutConsole.Profile.Capabilities.Ansi);
        Assert.Equal(ColorSystem.NoColors, terminal.OutConsole.Profile.Capabilities.ColorSystem);
    }

    [Fact]
    public async Task RunAsync_WithAStdoutThatFails_SaysSoAndFails()
    {
        using StringWriter errors = new();
        using var broken = new BrokenWriter();
        int code = await MuseCommand.RunAsync(["tokens", "cat"],
            Terminal.Of(new GuardedWriter(broken), false, new GuardedWriter(errors), false));
        Assert.Equal(1, code);
        Assert.StartsWith("error: the result cannot be written to standard output (the disk is full)", errors.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void GuardedWriter_FromManyThreads_KeepsLinesWhole()
    {
        using StringWriter inner = new() { NewLine = "\n" };
        using var writer = new GuardedWriter(inner);
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            for (int j = 0; j < 200; j++) writer.WriteLine(new string((char)('a' + i), 20));
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        string[] lines = inner.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1600, lines.Length);
        Assert.All(lines, line => Assert.Equal(20, line.Count(letter => letter == line[0])));
    }

    [Fact]
    public void JsonEscapingWriter_OfLettersOfAnyScript_IsTheSameJsonInAscii()
    {
        const string json = """{"file":"梵高 café 🌃"}""";
        using StringWriter inner = new();
        using var writer = new JsonEscapingWriter(inner);
        writer.Write(json);
        Assert.All(inner.ToString(), letter => Assert.True(char.IsAscii(letter)));
        Assert.Equal("梵高 café 🌃", System.Text.Json.Nodes.JsonNode.Parse(inner.ToString())!["file"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("render|caf\uFFFD", "argument 2")]
    [InlineData("render|cat|--out|\uFFFD\uFFFD.png", "argument 4")]
    [InlineData("tokens|\uD83C", "argument 2")]
    public async Task RunAsync_OfArgumentsThatAreNoText_IsBadUsageAndNamesTheArgument(string arguments, string which) =>
        (await Muse.RunAsync(arguments.Split('|'))).AssertFailed(2, which, "UTF-8");

    [Fact]
    public void Take_OfSignalsInARow_EndsInOrderUnlessTheyCameApart()
    {
        var time = new ManualTime();
        using StringWriter results = new(), errors = new();
        using var signals = new StopSignals(Terminal.Plain(results, errors, TestContext.Current.CancellationToken), time);
        Assert.True(signals.Take());
        Assert.True(signals.Token.IsCancellationRequested);
        time.Now += TimeSpan.FromMilliseconds(50).Ticks;
        Assert.True(signals.Take());
        time.Now += TimeSpan.FromSeconds(2).Ticks;
        Assert.False(signals.Take());
    }

    [Fact]
    public void Describe_OfAnyFailure_IsOneLineOfItsOwn()
    {
        Assert.StartsWith("unexpected NotSupportedException: no. This is a fault of muse",
            Failure.Describe(new NotSupportedException("no.")), StringComparison.Ordinal);
        Assert.Equal("gone", Failure.Describe(new TypeInitializationException("X", new IOException("gone"))));
        Assert.Equal("gone", Failure.Describe(new AggregateException(new IOException("gone"))));
        Assert.Contains("no more memory", Failure.Describe(new InsufficientMemoryException()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("~", "")]
    [InlineData("~/", "")]
    [InlineData("~/c/d", "c/d")]
    public void Expand_OfTheHomeFolder_IsItsPath(string path, string below)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(below.Length == 0 ? home : Path.Combine(home, below), UserPath.Expand("--cache", path));
    }

    [Theory]
    [InlineData("~other/c", "--cache is '~other/c', which begins with ~")]
    [InlineData("caf\uFFFD", "UTF-8")]
    public void Expand_OfWhatIsNoPath_ThrowsWithTheReason(string path, string words) =>
        Assert.Contains(words, Assert.Throws<UserPathException>(() => UserPath.Expand("--cache", path)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("./~")]
    [InlineData("a~b")]
    [InlineData("")]
    public void Expand_OfOtherPaths_LeavesThem(string path) => Assert.Equal(path, UserPath.Expand("--cache", path));

    [Fact]
    public async Task Render_IntoAnothersHomeFolder_IsBadUsage() =>
        (await Muse.RunAsync("render", "cat", "--cache=~nobody/c")).AssertFailed(2, "--cache is '~nobody/c'");

    [Fact]
    public async Task Tokens_OfAFileThatIsNoUtf8_IsRefusedByItsLine()
    {
        using var folder = new Checkpoints.TemporaryFolder();
        string path = folder.Write("prompts.jsonl", [.. "\"a\"\n\"caf"u8, 0xE9, .. "\"\n"u8]);
        (await Muse.RunAsync("tokens", "--file", path)).AssertFailed(1, path, "UTF-8");
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(char value) => throw new IOException("the disk is full");

        public override void Write(string? value) => throw new IOException("the disk is full");

        public override void Write(char[] buffer, int index, int count) => throw new IOException("the disk is full");
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
