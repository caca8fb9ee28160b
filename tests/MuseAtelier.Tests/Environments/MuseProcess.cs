using System.Diagnostics;
using System.Text;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Environments;

/// <summary>Runs muse as a process of its own: for signals, closed streams, limits and encodings, which a process has only once.</summary>
internal static class MuseProcess
{
    /// <summary>How <see cref="WithoutOpenSsl"/> ends where the system does not allow it.</summary>
    public const int CannotHide = 97;

    /// <summary>A shell script that runs its arguments where OpenSSL's libraries are empty files.</summary>
    public const string WithoutOpenSsl =
        "exec unshare --map-root-user --mount sh -c '"
        + "for f in $(find / -xdev \\( -name \"libssl.so.3\" -o -name \"libssl.so.1.1\" -o -name \"libcrypto.so.3\" -o -name "
            + "\"libcrypto.so.1.1\" \\) -not -path \"/proc/*\" 2>/dev/null); do"
        + " mount --bind /dev/null \"$f\" || exit 97; done; exec \"$@\"' sh \"$@\" || exit 97";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>The environment variable that names the model for commands that name none. Here it is the narrow one.</summary>
    public const string ModelVariable = "MUSE_MODEL";

    /// <summary>Path of muse, for <c>dotnet</c>.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "muse.dll");

    /// <summary>Runs muse to its end.</summary>
    public static Task<MuseProcessResult> RunAsync(params string[] args) => RunAsync("exec \"$@\"", args);

    /// <summary>
    /// Runs muse to its end by a shell script whose arguments are the command; with other variables where they are given.
    /// </summary>
    public static async Task<MuseProcessResult> RunAsync(string script, string[] args, Dictionary<string, string?>? variables = null,
        string? folder = null)
    {
        using Process process = Start(script, args, variables, folder);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        return await EndAsync(process, output, error);
    }

    /// <summary>Starts muse by a shell script; the caller reads, waits and disposes.</summary>
    public static Process Start(string script, string[] args, Dictionary<string, string?>? variables = null, string? folder = null)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a POSIX shell");
        var start = new ProcessStartInfo("sh", ["-c", script, "sh", "dotnet", Program, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? "",
        };
        start.Environment[ModelVariable] = NarrowAtelier.Checkpoint;
        foreach ((string name, string? value) in variables ?? [])
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Waits for the end, and ends what does not.</summary>
    public static async Task<MuseProcessResult> EndAsync(Process process, Task<string> output, Task<string> error)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new MuseProcessResult(process.ExitCode, await output, await error);
    }
}

/// <summary>How a process ended and what it said.</summary>
internal sealed record MuseProcessResult(int Code, string Out, string Error);
