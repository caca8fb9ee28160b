using System.CommandLine;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Processes;

/// <summary>
/// Starts several processes that open the same checkpoint with one empty cache. Each must end with exit code 0 and paint the same bytes,
/// and only the package may remain. Then repeats this with processes that have equal process ids, as in containers that share a cache.
/// </summary>
internal static class ExportsStorm
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // The first of these commands that is permitted gives a process a PID namespace of its own, in which its id is 1.
    private static readonly string[][] OwnIds =
    [
        ["unshare", "--pid", "--fork", "--mount-proc"],
        ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
    ];

    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        Option<int> rounds = StormCommand.Number("--rounds", "Rounds of each kind.", 10);
        Option<int> processes = StormCommand.Number("--processes", "Processes of a round.", 3);
        Option<int> equal = StormCommand.Number(
            "--equal-ids",
            "Processes of a round with equal process ids; 0 leaves these rounds out.",
            2
        );
        return StormCommand.Storm(
            "exports",
            "Several processes that export one checkpoint into one cold cache; each must paint, and nothing else may be left.",
            [device, rounds, processes, equal],
            (result, report) =>
                RunAsync(result.GetValue(device), result.GetValue(rounds), result.GetValue(processes), result.GetValue(equal), report)
        );
    }

    public static async Task RunAsync(StormDevice device, int rounds, int processes, int equalIds, StormReport report)
    {
        using var folder = new StormFolder();
        var painted = new HashSet<string>(StringComparer.Ordinal);
        for (int round = 0; round < rounds; round++)
            await RunRoundAsync(FormattableString.Invariant($"round {round}"), device, processes, [], folder, painted, report);
        if (equalIds == 0)
            return;
        if (await FindOwnIdsAsync() is not { } prefix)
        {
            report.Note("rounds with equal process ids were left out: unshare is not there, or may not make process id spaces");
            return;
        }

        for (int round = 0; round < rounds; round++)
            await RunRoundAsync(
                FormattableString.Invariant($"equal ids, round {round}"),
                device,
                equalIds,
                prefix,
                folder,
                painted,
                report
            );
    }

    private static async Task RunRoundAsync(
        string where,
        StormDevice device,
        int processes,
        string[] prefix,
        StormFolder folder,
        HashSet<string> painted,
        StormReport report
    )
    {
        string cache = folder.Cache;
        if (Directory.Exists(cache))
            Directory.Delete(cache, recursive: true);
        string[] command = [.. prefix, .. SelfProcess.Command, "embed", "--device", device.Name(), "--cache", cache, "--steps", "1"];
        ChildResult[] results = await Task.WhenAll(Enumerable.Range(0, processes).Select(_ => SelfProcess.RunAsync(command, Patience)));
        report.Add(prefix.Length == 0 ? "processes" : "processesWithEqualIds", processes);
        foreach (ChildResult result in results)
        {
            if (result.ExitCode != 0)
                report.Fail("exitCode", where, result.Describe());
            else
                painted.Add(result.Output.Trim());
        }

        if (painted.Count > 1)
            report.Fail("wrong", where, FormattableString.Invariant($"{painted.Count} different pictures"));
        CheckLeftovers(where, cache, report);
        await Console.Error.WriteLineAsync($"{where}: failed {report.Count("exitCode")}, left over {report.Count("leftOver")}");
    }

    // The folder of one package, its lock, and the note of the checkpoint that it was exported from.
    private static void CheckLeftovers(string where, string cache, StormReport report)
    {
        if (!Directory.Exists(cache))
            return;
        string[] folders = [.. Directory.GetDirectories(cache).Select(path => Path.GetFileName(path))];
        if (folders.Length != 1)
            report.Fail("leftOver", where, $"folders: {string.Join(", ", folders)}");
        IEnumerable<string> files = Directory
            .GetFiles(cache)
            .Where(file =>
                !folders.Any(folder => Path.GetFileName(file) == $"{folder}.lock" || Path.GetFileName(file) == $"{folder}.source")
            );
        IEnumerable<string> partial = Directory.GetFileSystemEntries(cache, "*partial*", SearchOption.AllDirectories);
        foreach (string file in files.Concat(partial))
            report.Fail("leftOver", where, Path.GetRelativePath(cache, file));
    }

    private static async Task<string[]?> FindOwnIdsAsync()
    {
        foreach (string[] prefix in OwnIds)
        {
            try
            {
                ChildResult result = await SelfProcess.RunAsync([.. prefix, "sh", "-c", "echo $$"], TimeSpan.FromSeconds(10));
                if (result.ExitCode == 0 && result.Output.Trim() == "1")
                    return prefix;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return null;
            }
        }

        return null;
    }
}
