using MuseAtelier.Cli;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

/// <summary>Runs muse within the test's process.</summary>
internal static class Muse
{
    /// <summary>Where the tests' packages are exported to, once for all of them.</summary>
    public static string Cache => TestAtelier.Options.CacheFolder!;

    /// <summary>Options of a command that paints with the narrow model.</summary>
    public static string[] Narrow => ["--model", NarrowAtelier.Checkpoint, "--cache", Cache];

    public static Task<MuseResult> RunAsync(params string[] args) => RunAsync(CancellationToken.None, args);

    public static async Task<MuseResult> RunAsync(CancellationToken stop, params string[] args)
    {
        using StringWriter results = new(), errors = new();
        int code = await MuseCommand.RunAsync(args, Terminal.Plain(results, TextWriter.Synchronized(errors), stop));
        return new MuseResult(code, results.ToString(), errors.ToString());
    }
}

/// <summary>How muse ended and what it said.</summary>
internal sealed record MuseResult(int Code, string Out, string Error)
{
    public string[] Lines => Out.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Asserts that muse failed with one line that holds all of the words.</summary>
    public void AssertFailed(int code, params string[] words)
    {
        Assert.Equal(code, Code);
        string line = Assert.Single(Error.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }
}
