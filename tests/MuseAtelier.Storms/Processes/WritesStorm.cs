using System.CommandLine;
using System.Security.Cryptography;
using MuseAtelier.Pictures;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Processes;

/// <summary>The options of <see cref="WritesStorm"/>.</summary>
internal sealed record WritesOptions
{
    public int Threads { get; init; } = 4;

    public int Processes { get; init; } = 3;

    /// <summary>The number of writes of each thread and of each process.</summary>
    public int Count { get; init; } = 200;

    /// <summary>The number of paths that several threads write at once without permission to replace a file.</summary>
    public int NewNames { get; init; } = 50;

    public string Extension { get; init; } = ".png";
}

/// <summary>
/// Writes pictures to one path from several threads and processes while a reader reads it. No write may fail, and each read must give one
/// of the complete files. Then several threads write to a new path without permission to replace it, and exactly one of them must succeed.
/// </summary>
internal static class WritesStorm
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Command()
    {
        var defaults = new WritesOptions();
        Option<int> threads = StormCommand.Number("--threads", "Threads that write.", defaults.Threads);
        Option<int> processes = StormCommand.Number("--processes", "Processes that write.", defaults.Processes);
        Option<int> count = StormCommand.Number("--count", "Writes of each thread and of each process.", defaults.Count);
        Option<int> names = StormCommand.Number("--new-names", "New names that all threads want.", defaults.NewNames);
        var extension = new Option<string>("--extension") { Description = "The format.", DefaultValueFactory = _ => defaults.Extension };
        return StormCommand.Storm(
            "writes",
            "Threads and processes that write pictures to one name while it is read; every read must find a whole file.",
            [threads, processes, count, names, extension],
            (result, report) =>
                RunAsync(
                    new WritesOptions
                    {
                        Threads = result.GetValue(threads),
                        Processes = result.GetValue(processes),
                        Count = result.GetValue(count),
                        NewNames = result.GetValue(names),
                        Extension = result.GetValue(extension)!,
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(WritesOptions options, StormReport report)
    {
        using var folder = new StormFolder();
        string files = Directory.CreateDirectory(folder.Place("files")).FullName,
            path = Path.Combine(files, $"picture{options.Extension}");
        HashSet<string> whole = WholeFiles(folder, options.Extension);
        WriteRun.Write(path, 0);
        using var stop = new CancellationTokenSource();
        Task reader = Task.Run(() => ReadAll(path, whole, report, stop.Token));
        Task writers = Task.WhenAll(
            Enumerable
                .Range(0, options.Threads)
                .Select(thread =>
                    Task.Factory.StartNew(
                        () => WriteAll(path, thread, options.Count, report),
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
        );
        ChildResult[] children = await Task.WhenAll(
            Enumerable
                .Range(0, options.Processes)
                .Select(process =>
                    SelfProcess.RunAsync(
                        [
                            .. SelfProcess.Command,
                            "write",
                            "--path",
                            path,
                            "--count",
                            FormattableString.Invariant($"{options.Count}"),
                            "--first",
                            FormattableString.Invariant($"{process}"),
                        ],
                        Patience
                    )
                )
        );
        await writers;
        await stop.CancelAsync();
        await reader;
        report.Add("writes", options.Count * options.Processes);
        foreach (ChildResult child in children.Where(child => child.ExitCode != 0))
            report.Fail("thrown", "a process", child.Describe());
        await WantNewNamesAsync(files, options, report);
        IEnumerable<string> left = Directory.GetFiles(files).Where(file => Path.GetExtension(file) != options.Extension);
        foreach (string file in left)
            report.Fail("leftOver", "at the end", Path.GetFileName(file));
    }

    private static HashSet<string> WholeFiles(StormFolder folder, string extension)
    {
        var whole = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < StormPicture.Kinds; i++)
        {
            string path = folder.Place(FormattableString.Invariant($"whole-{i}{extension}"));
            WriteRun.Write(path, i);
            whole.Add(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        }

        return whole;
    }

    private static void WriteAll(string path, int first, int count, StormReport report)
    {
        for (int i = 0; i < count; i++)
        {
            try
            {
                WriteRun.Write(path, first + i);
                report.Add("writes");
            }
#pragma warning disable CA1031 // The storm reports every exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                report.Fail(
                    "thrown",
                    FormattableString.Invariant($"thread {first}, write {i}"),
                    $"{exception.GetType().Name}: {exception.Message}"
                );
            }
        }
    }

    private static void ReadAll(string path, HashSet<string> whole, StormReport report, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // The reader must permit others to replace the file, because Windows refuses that otherwise.
                using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                if (!whole.Contains(Convert.ToHexStringLower(SHA256.HashData(stream))))
                    report.Fail(
                        "halfFile",
                        "the reader",
                        FormattableString.Invariant($"a file of {stream.Length} bytes that nobody wrote as a whole")
                    );
                report.Add("reads");
            }
            catch (IOException exception)
            {
                report.Fail("unreadable", "the reader", $"{exception.GetType().Name}: {exception.Message}");
            }
        }
    }

    private static async Task WantNewNamesAsync(string files, WritesOptions options, StormReport report)
    {
        for (int name = 0; name < options.NewNames; name++)
        {
            string path = Path.Combine(files, FormattableString.Invariant($"new-{name}{options.Extension}"));
            using var start = new Barrier(options.Threads);
            bool[] won = await Task.WhenAll(
                Enumerable
                    .Range(0, options.Threads)
                    .Select(thread =>
                        Task.Factory.StartNew(
                            () => TryWriteNew(path, thread, start, report),
                            CancellationToken.None,
                            TaskCreationOptions.LongRunning,
                            TaskScheduler.Default
                        )
                    )
            );
            int winners = won.Count(one => one);
            if (winners != 1)
                report.Fail(
                    "newName",
                    Path.GetFileName(path),
                    FormattableString.Invariant($"{winners} of {options.Threads} threads wrote the name without leave to replace")
                );
            report.Add("newNames");
        }
    }

    private static bool TryWriteNew(string path, int thread, Barrier start, StormReport report)
    {
        start.SignalAndWait();
        try
        {
            WriteRun.Write(path, thread, overwrite: false);
            return true;
        }
        catch (PictureExistsException)
        {
            return false;
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            report.Fail("thrown", Path.GetFileName(path), $"{exception.GetType().Name}: {exception.Message}");
            return false;
        }
    }
}
