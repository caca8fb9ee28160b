using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Environments;

/// <summary>What only a process of its own can show: streams that are closed or full, signals, locales and folders that are gone.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string[] Render =>
        ["render", "café 梵高", "-W", "256", "-H", "256", "--steps", "1", "--seed", "3", "--device", "cpu", "--cache", Cli.Muse.Cache,
            "--force"];

    [Theory]
    [InlineData("exec \"$@\" 2>/dev/full")]
    [InlineData("exec \"$@\" 2>&-")]
    [InlineData("exec \"$@\" 2>&- </dev/null")]
    [InlineData("exec \"$@\" </dev/null 2>/dev/null")]
    public async Task Render_WithAStderrThatFails_WritesThePicture(string script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a device that is always full: /dev/full");
        MuseProcessResult result = await MuseProcess.RunAsync(script, [.. Render, "--out", _folder["cat.png"]]);
        Assert.Equal(0, result.Code);
        Assert.StartsWith(_folder["cat.png"], result.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["cat.png"]));
    }

    [Theory]
    [InlineData("exec \"$@\" >/dev/full")]
    [InlineData("exec \"$@\" >&-")]
    [InlineData("exec \"$@\" --json >&-")]
    [InlineData("exec \"$@\" --json >/dev/full")]
    public async Task Render_WithAStdoutThatFails_WritesThePictureAndEndsWith1(string script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a device that is always full: /dev/full");
        MuseProcessResult result = await MuseProcess.RunAsync(script, [.. Render, "--out", _folder["cat.png"]]);
        Assert.Equal(1, result.Code);
        Assert.Contains("error: the result cannot be written to standard output", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["cat.png"]));
    }

    [Fact]
    public async Task Models_ReadByAProgramThatStops_EndsQuietly()
    {
        MuseProcessResult result = await MuseProcess.RunAsync("\"$@\" | head -1", ["models"]);
        Assert.Equal(0, result.Code);
        Assert.Equal("", result.Error);
    }

    // What a native library prints goes to the process's first stream: it must not lie between JSON's lines.
    [Fact]
    public async Task Render_AsJson_HasTheFirstStreamForItselfInEveryLocale()
    {
        string path = _folder["café 梵高.png"];
        MuseProcessResult result = await MuseProcess.RunAsync("exec \"$@\"", [.. Render, "--json", "--out", path],
            new() { ["LANG"] = "de_DE.ISO-8859-1", ["LC_ALL"] = "de_DE.ISO-8859-1", ["VIPS_INFO"] = "1" });
        Assert.Equal(0, result.Code);
        string line = Assert.Single(result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(path, JsonNode.Parse(line)!["file"]!.GetValue<string>());
    }

    [Fact]
    public async Task Json_InAnotherLocale_IsUtf8()
    {
        MuseProcessResult result = await MuseProcess.RunAsync("exec \"$@\"", ["models", "--json"],
            new() { ["LC_ALL"] = "de_DE.ISO-8859-1" });
        Assert.All(result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.NotNull(JsonNode.Parse(line)));
        Assert.Contains(Format.ModelsLock.Embedded.Models,
            model => model.Note is { } note && note.Any(letter => !char.IsAscii(letter))
                && result.Out.Contains(note, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tokens_FromStandardInput_AreReadAsUtf8InEveryLocale()
    {
        File.WriteAllText(_folder["prompts.jsonl"], "\"梵高，星夜 café\"\n", new UTF8Encoding(false));
        string[] arguments = ["tokens", "--json", "--file"];
        MuseProcessResult named = await MuseProcess.RunAsync([.. arguments, _folder["prompts.jsonl"]]);
        MuseProcessResult piped = await MuseProcess.RunAsync("exec \"$@\" <\"$PROMPTS\"", [.. arguments, "-"],
            new() { ["PROMPTS"] = _folder["prompts.jsonl"], ["LC_ALL"] = "de_DE.ISO-8859-1" });
        Assert.Equal((0, named.Out), (piped.Code, piped.Out));
        Assert.Equal(1, (await MuseProcess.RunAsync("exec \"$@\" <&-", [.. arguments, "-"])).Code);
    }

    [Fact]
    public async Task Render_OfAPromptThatIsNoUtf8_IsBadUsage()
    {
        MuseProcessResult result = await MuseProcess.RunAsync("exec \"$@\" \"$(printf 'caf\\351')\"",
            [.. Render[..1], .. Render[2..], "--out", _folder["cat.png"]]);
        Assert.Equal(2, result.Code);
        Assert.Contains("UTF-8", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["cat.png"]));
    }

    [Fact]
    public async Task Render_InADeletedFolder_EndsWith1AndNamesTheCause()
    {
        string gone = _folder["gone"];
        Directory.CreateDirectory(gone);
        MuseProcessResult result = await MuseProcess.RunAsync("cd \"$GONE\" && rmdir \"$GONE\" && exec \"$@\"", Render,
            new() { ["GONE"] = gone });
        Assert.Equal(1, result.Code);
        Assert.Contains("the working folder is gone", result.Error, StringComparison.Ordinal);
        Directory.CreateDirectory(gone);
        MuseProcessResult doctor = await MuseProcess.RunAsync("cd \"$GONE\" && rmdir \"$GONE\" && exec \"$@\"", ["doctor"],
            new() { ["GONE"] = gone });
        Assert.Equal(0, doctor.Code);
        Assert.Contains("it is gone", doctor.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_LooksWhereRenderLooks()
    {
        string file = _folder.Write("file", []), home = _folder["home"];
        Directory.CreateDirectory(home);
        var variables = new Dictionary<string, string?>
        {
            ["MUSE_CACHE"] = "~/packages",
            ["MUSE_MODEL"] = _folder["none.safetensors"],
            ["HOME"] = home,
        };
        MuseProcessResult doctor = await MuseProcess.RunAsync("exec \"$@\"", ["doctor", "--json"], variables);
        JsonNode found = JsonNode.Parse(doctor.Out)!;
        JsonNode cache = found["disks"]![1]!;
        Assert.Equal(Path.Combine(home, "packages"), cache["folder"]!.GetValue<string>());
        Assert.True(cache["writable"]!.GetValue<bool>());
        Assert.Empty(Directory.GetFileSystemEntries(home));
        Assert.Contains("which MUSE_MODEL names", found["defaultModel"]!["problem"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotEmpty(found["memory"]!.AsArray());
        Assert.True(found["onnxRuntime"]!["loads"]!.GetValue<bool>());

        MuseProcessResult blocked = await MuseProcess.RunAsync("exec \"$@\"", ["doctor", "--cache", Path.Combine(file, "packages")]);
        Assert.Equal(0, blocked.Code);
        Assert.Contains("not writable", blocked.Out, StringComparison.Ordinal);
        Assert.Contains("Checkpoints cannot be exported to", blocked.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Render_StoppedDuringAnExport_EndsWith130AndLeavesNothing(string signal)
    {
        // Stopped as soon as it has begun to write; a machine so fast that it is done by then tries again.
        for (int attempt = 0; ; attempt++)
        {
            Assert.True(attempt < 10, "every export was done before it could be stopped");
            string cache = _folder[$"cache{attempt}"];
            using Process process = MuseProcess.Start("exec \"$@\"",
                ["render", "cat", "-W", "256", "-H", "256", "--device", "cpu", "--steps", "200", "--cache", cache, "--out",
                    _folder["cat.png"]]);
            Task<string> output = process.StandardOutput.ReadToEndAsync(Cancellation);
            Task<string> error = process.StandardError.ReadToEndAsync(Cancellation);
            while (!process.HasExited && !(Directory.Exists(cache) && Directory.EnumerateDirectories(cache, "*.partial").Any()))
                await Task.Delay(1, Cancellation);
            // Twice at once, as a pressed key does that repeats. muse takes two that come within a second for one.
            long first = Stopwatch.GetTimestamp();
            Signals.Send(signal, process.Id);
            await Task.Delay(50, Cancellation);
            Signals.Send(signal, process.Id);
            bool wereTwo = Stopwatch.GetElapsedTime(first) > TimeSpan.FromSeconds(0.8);
            MuseProcessResult result = await MuseProcess.EndAsync(process, output, error);
            if (result.Code == 0 || (wereTwo && result.Code != 130)) continue;
            Assert.Equal(130, result.Code);
            Assert.Contains("error: cancelled", result.Error, StringComparison.Ordinal);
            Assert.True(!Directory.Exists(cache) || !Directory.EnumerateFileSystemEntries(cache, "*.partial").Any());
            Assert.False(File.Exists(_folder["cat.png"]));
            return;
        }
    }

    // As nohup has it: who ignores the end of the terminal goes on.
    [Fact]
    public async Task Render_WhereTheEndOfTheTerminalIsIgnored_GoesOn()
    {
        using Process process = MuseProcess.Start("trap '' HUP; exec \"$@\"",
            ["render", "cat", "-W", "256", "-H", "256", "--steps", "10", "--device", "cpu", "--cache", Cli.Muse.Cache, "--out",
                _folder["cat.png"]]);
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var errors = new StringBuilder();
        while (await process.StandardError.ReadLineAsync(Cancellation) is { } line)
        {
            errors.AppendLine(line);
            if (line.Contains("painting", StringComparison.Ordinal)) break;
        }

        Signals.Send("HUP", process.Id);
        MuseProcessResult result = await MuseProcess.EndAsync(process, output, process.StandardError.ReadToEndAsync(Cancellation));
        Assert.Equal(0, result.Code);
    }

    public void Dispose() => _folder.Dispose();
}
