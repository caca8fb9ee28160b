using System.Diagnostics;

namespace MuseAtelier.Storms.Running;

/// <summary>How a child process ended.</summary>
/// <param name="ExitCode">Its exit code; 128 plus the signal's number if a signal ended it; null if it had to be killed.</param>
/// <param name="Output">Its stdout.</param>
/// <param name="Errors">Its stderr.</param>
internal sealed record ChildResult(int? ExitCode, string Output, string Errors)
{
    /// <summary>Describes how it ended, with the first and the last lines of stderr.</summary>
    public string Describe()
    {
        string[] lines = Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string last = string.Join(" | ", lines.Length <= 6 ? lines : [.. lines[..3], "...", .. lines[^3..]]);
        return ExitCode is { } code ? FormattableString.Invariant($"exit code {code}: {last}") : $"killed after a time-out: {last}";
    }
}

/// <summary>Starts child processes.</summary>
internal static class SelfProcess
{
    /// <summary>The file and first arguments that start this program.</summary>
    public static IReadOnlyList<string> Command { get; } = Own();

    /// <summary>Returns the file and first arguments that start a program. A .dll is run by dotnet.</summary>
    public static IReadOnlyList<string> CommandOf(string path) =>
        path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? ["dotnet", path] : [path];

    /// <summary>Runs a program to its end.</summary>
    /// <param name="command">File and arguments.</param>
    /// <param name="timeout">The time after which it is killed.</param>
    /// <param name="environment">Environment variables that differ from those of this process.</param>
    public static async Task<ChildResult> RunAsync(
        IEnumerable<string> command,
        TimeSpan timeout,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        string[] parts = [.. command];
        var start = new ProcessStartInfo(parts[0], parts[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            errors = process.StandardError.ReadToEndAsync();
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
