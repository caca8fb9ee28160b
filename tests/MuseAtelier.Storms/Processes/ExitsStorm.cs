using System.CommandLine;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Processes;

/// <summary>Starts programs that paint, repeatedly. Each must end with exit code 0.</summary>
internal static class ExitsStorm
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        var muse = new Option<string?>("--muse")
        {
            Description = "The program muse (or muse.dll); without it only embedding programs are started.",
        };
        Option<int> count = StormCommand.Number("--count", "Runs in all, shared out over the kinds.", 200);
        Option<int> jobs = StormCommand.Number("--jobs", "Runs at the same time.", 1);
        return StormCommand.Storm(
            "exits",
            "Starts muse render, verify and bench, and programs that embed MuseAtelier; each must end with exit code 0.",
            [device, muse, count, jobs],
            (result, report) =>
                RunAsync(result.GetValue(device), result.GetValue(muse), result.GetValue(count), result.GetValue(jobs), report)
        );
    }

    public static async Task RunAsync(StormDevice device, string? muse, int count, int jobs, StormReport report)
    {
        using var folder = new StormFolder();
        (string Name, Func<int, IEnumerable<string>> Command)[] kinds = Kinds(device, muse, folder);
        // The first run of each program fills the cache and writes the picture for 'verify'. It counts as well.
        int next = 0;
        for (; next < Math.Min(count, kinds.Length); next++)
            await RunOneAsync(kinds[next].Name, kinds[next].Command(next), report);
        async Task WorkAsync()
        {
            for (int index = Interlocked.Increment(ref next) - 1; index < count; index = Interlocked.Increment(ref next) - 1)
            {
                (string name, Func<int, IEnumerable<string>> command) = kinds[index % kinds.Length];
                await RunOneAsync(name, command(index), report);
                if ((index + 1) % 10 == 0)
                    await Console.Error.WriteLineAsync(
                        FormattableString.Invariant($"{index + 1} of {count}; failed {report.Count("exitCode")}")
                    );
            }
        }

        await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => WorkAsync()));
    }

    private static (string Name, Func<int, IEnumerable<string>> Command)[] Kinds(StormDevice device, string? muse, StormFolder folder)
    {
        string[] embed = [.. SelfProcess.Command, "embed", "--device", device.Name(), "--cache", folder.Cache];
        List<(string Name, Func<int, IEnumerable<string>> Command)> kinds = [];
        if (muse is not null)
        {
            string[] program = [.. SelfProcess.CommandOf(muse)],
                common = ["--device", device.Name(), "--cache", folder.Cache];
            string picture = folder.Place("verify.png");
            string[] paint =
            [
                .. program,
                "render",
                "a starry night",
                "--width",
                "256",
                "--height",
                "256",
                "--steps",
                "4",
                "--seed",
                "7",
                "--force",
                .. common,
            ];
            kinds.Add(
                ("render", i => [.. paint, "--out", i == 0 ? picture : folder.Place(FormattableString.Invariant($"render-{i}.png"))])
            );
            kinds.Add(("verify", _ => [.. program, "verify", picture, .. common]));
            kinds.Add(
                (
                    "bench",
                    _ => [.. program, "bench", "--width", "256", "--height", "256", "--steps", "4", "--pictures", "1", "--json", .. common]
                )
            );
        }

        kinds.Add(("embed", _ => embed));
        kinds.Add(("embedWithoutDispose", _ => [.. embed, "--without-dispose"]));
        return [.. kinds];
    }

    private static async Task RunOneAsync(string kind, IEnumerable<string> command, StormReport report)
    {
        ChildResult result = await SelfProcess.RunAsync(command, Patience);
        report.Add($"{kind}.runs");
        report.Add($"{kind}.exitCode.{(result.ExitCode is { } code ? FormattableString.Invariant($"{code}") : "killed")}");
        if (result.ExitCode != 0)
            report.Fail("exitCode", kind, result.Describe());
    }
}
