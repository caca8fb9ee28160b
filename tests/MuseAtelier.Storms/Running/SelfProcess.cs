using System.Diagnostics;

namespace MuseAtelier.Storms.Running;

/// <summary>How a child process ended.</summary>
/// <param name="ExitCode">Its exit code; 128 plus the signal's number where a signal ended it; null where it had to be killed.</param>
/// <param name="Output">What it wrote to stdout.</param>
/// <param name="Errors">What it wrote to stderr.</param>
internal sealed record ChildResult(int? ExitCode, string Output, string Errors)
{
    /// <summary>How it ended, in words, with the last lines of stderr.</summary>
    public string Describe()
    {
        string last = string.Join(" | ", Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(4));
        return ExitCode is { } code ? FormattableString.Invariant($"exit code {code}: {last}") : $"killed after a time-out: {last}";
    }
}

/// <summary>Starts child processes.</summary>
internal static class SelfProcess
{
    /// <summary>The file and first arguments that start this very program.</summary>
    public static IReadOnlyList<string> Command { get; } = Own();

    /// <summary>The file and first arguments that start a program: a .dll is run by dotnet.</summary>
    public static IReadOnlyList<string> CommandOf(string path) => path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? ["dotnet", path] : [path];

    /// <summary>Runs a program to its end.</summary>
    /// <param name="command">File and arguments.</param>
    /// <param name="timeout">After which it is killed.</param>
    /// <param name="environment">Variables that differ from this process's.</param>
    public static async Task<ChildResult> RunAsync(IEnumerable<string> command, TimeSpan timeout, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] parts = [.. command];
        var start = new ProcessStartInfo(parts[0], parts[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(timeout);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new ChildResult(null, await output, await errors);
        }

        return new ChildResult(process.ExitCode, await output, await errors);
    }

    private static string[] Own()
    {
        string path = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(path) == "dotnet";
        return isHost ? [path, typeof(SelfProcess).Assembly.Location] : [path];
    }
}
