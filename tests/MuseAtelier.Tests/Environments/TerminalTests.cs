using System.Diagnostics;
using System.Text;
using MuseAtelier.Cli.Streams;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Environments;

/// <summary>muse in a terminal of its own, as util-linux's <c>script</c> makes one.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Render_StoppedByCtrlZ_ShowsTheCursorUntilItGoesOn()
    {
        using Process script = Start("200");
        int muse = await ProcessIdAsync(script);
        await UntilAsync(script, () => Shown().Contains("painting", StringComparison.Ordinal));
        Assert.True(IsHidden());
        int before = Shown().Length;
        Signals.Send("TSTP", muse);
        await UntilAsync(script, () => File.ReadAllText($"/proc/{muse}/stat").Split(')')[^1].TrimStart()[0] == 'T');
        Signals.Send("CONT", muse);
        await UntilAsync(script, () =>
        {
            // script stops with its child, at a time of its own, and may show what the child wrote last only when it goes on.
            Signals.Send("CONT", script.Id);
            return Places(before) is { Show: >= 0, Hide: >= 0 };
        });
        Assert.True(Places(before).Show < Places(before).Hide);
        Signals.Send("INT", muse);
        Signals.Send("INT", muse);
        await script.WaitForExitAsync(Cancellation);
        Assert.Equal(130, script.ExitCode);
        Assert.False(IsHidden());
        Assert.Contains("error: cancelled", Shown(), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(_folder[""]),
            file => file.EndsWith(".partial", StringComparison.Ordinal) || file.EndsWith(".png", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private Process Start(string steps)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "needs util-linux's script");
        string command =
            $"echo $$ > {_folder["pid"]}; exec dotnet {MuseProcess.Program} render cat -W 256 -H 256 --steps {steps} --seed 3 "
            + $"--device cpu --cache {Cli.Muse.Cache} --out {_folder["cat.png"]}";
        var start = new ProcessStartInfo("/usr/bin/script",
            ["--quiet", "--flush", "--return", "--command", command, _folder["shown"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        start.Environment["TERM"] = "xterm-256color";
        start.Environment[MuseProcess.ModelVariable] = NarrowAtelier.Checkpoint;
        Process process = Process.Start(start)!;
        _ = process.StandardOutput.ReadToEndAsync(Cancellation);
        return process;
    }

    private async Task<int> ProcessIdAsync(Process script)
    {
        await UntilAsync(script, () => File.Exists(_folder["pid"]) && File.ReadAllText(_folder["pid"]).EndsWith('\n'));
        return int.Parse(File.ReadAllText(_folder["pid"]), System.Globalization.CultureInfo.InvariantCulture);
    }

    private string Shown()
    {
        using var stream = new FileStream(_folder["shown"], FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private (int Show, int Hide) Places(int start)
    {
        string shown = Shown()[start..];
        return (shown.IndexOf(CursorKeeper.Show, StringComparison.Ordinal), shown.IndexOf(CursorKeeper.Hide, StringComparison.Ordinal));
    }

    private bool IsHidden()
    {
        string shown = Shown();
        return shown.LastIndexOf(CursorKeeper.Hide, StringComparison.Ordinal) > shown.LastIndexOf(CursorKeeper.Show,
            StringComparison.Ordinal);
    }

    // A generous time against a hang; ends what hangs.
    private static async Task UntilAsync(Process script, Func<bool> isSo)
    {
        for (int i = 0; i < 12_000; i++)
        {
            if (isSo()) return;
            Assert.False(script.HasExited, "muse ended");
            await Task.Delay(10, Cancellation);
        }

        script.Kill(entireProcessTree: true);
        Assert.Fail("muse did not get there");
    }
}
