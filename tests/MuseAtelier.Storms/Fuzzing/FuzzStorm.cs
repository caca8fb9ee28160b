using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>The options of <see cref="FuzzStorm"/>.</summary>
internal sealed record FuzzOptions
{
    public required string Target { get; init; }

    public int Count { get; init; } = 20_000;

    public int Seed { get; init; } = 1;

    /// <summary>Number of the only input to try; null means all.</summary>
    public int? Only { get; init; }

    /// <summary>The number of accepted inputs that are also used.</summary>
    public int Use { get; init; } = 20;

    /// <summary>The folder for failing inputs; null means that none is kept.</summary>
    public string? Keep { get; init; }

    /// <summary>Whether an input that takes longer than a second is a failure.</summary>
    public bool BoundsTime { get; init; } = true;
}

/// <summary>
/// Passes damaged inputs to a reader, one after the other. The reader must accept each input or refuse it with a type below
/// <see cref="MuseAtelierException"/>, within a second of the processor and with at most 64 MiB of allocations. An input depends only on
/// the seed and on its number.
/// </summary>
internal static class FuzzStorm
{
    public const long MostBytes = 64L << 20;

    private const double MostSeconds = 1;

    public static Command Command()
    {
        var target = new Argument<string>("TARGET") { Description = $"What is read: {string.Join(", ", FuzzTarget.All.Keys)}." };
        target.AcceptOnlyFromAmong([.. FuzzTarget.All.Keys]);
        Option<int> count = StormCommand.Number("--count", "Inputs.", 20_000);
        Option<int> seed = StormCommand.Number("--seed", "Which inputs.", 1);
        var only = new Option<int?>("--only") { Description = "Try this input alone, and show its failure in full." };
        Option<int> use = StormCommand.Number("--use", "Inputs that were read and are used too: painted with, exported, or compared.", 20);
        var keep = new Option<string?>("--keep") { Description = "A folder that gets the inputs that fail." };
        Command command = StormCommand.Storm(
            "fuzz",
            "Damaged files and texts: each is read or refused by a documented type, without much memory or time.",
            [count, seed, only, use, keep],
            (result, report) =>
            {
                report.Options["target"] = result.GetRequiredValue(target);
                return RunAsync(
                    new FuzzOptions
                    {
                        Target = result.GetRequiredValue(target),
                        Count = result.GetValue(count),
                        Seed = result.GetValue(seed),
                        Only = result.GetValue(only),
                        Use = result.GetValue(use),
                        Keep = result.GetValue(keep),
                    },
                    report
                );
            }
        );
        command.Add(target);
        return command;
    }

    public static async Task RunAsync(FuzzOptions options, StormReport report)
    {
        using FuzzTarget target = FuzzTarget.All[options.Target]();
        // The first input is read once before, because types that are loaded once must not count against an input.
        target.Prepare(new Random(0), 0);
        target.Read();
        int first = options.Only ?? 0,
            end = options.Only is { } one ? one + 1 : options.Count,
            used = 0;
        var worst = new Worst();
        for (int i = first; i < end; i++)
        {
            byte[] input = target.Prepare(new Random(unchecked((options.Seed * 1_000_003) + i)), i);
            bool isRead = Try(target, options, i, input, worst, report);
            if (isRead && (used < options.Use || options.Only is not null))
            {
                used++;
                await UseAsync(target, options, i, report);
            }

            if ((i + 1) % 2000 == 0)
                await Console.Error.WriteLineAsync(
                    FormattableString.Invariant(
                        $"{options.Target}: {i + 1} of {end}; failures {report.Failures.Count}"
                    )
                );
        }

        report.Figure("mostMs", 1000 * worst.Seconds);
        report.Figure("mostMsAt", worst.SecondsAt);
        report.Figure("mostAllocatedMib", worst.Bytes / (double)(1 << 20));
        report.Figure("mostAllocatedAt", worst.BytesAt);
    }

    private static bool Try(FuzzTarget target, FuzzOptions options, int index, byte[] input, Worst worst, StormReport report)
    {
        (Exception? thrown, double seconds, long bytes) = Read(target);
        // A slow input is read once more, because the machine may have been busy.
        if (seconds > MostSeconds)
            seconds = Math.Min(seconds, Read(target).Seconds);
        worst.Add(index, seconds, bytes);
        string where = FormattableString.Invariant($"--seed {options.Seed} --only {index}");
        report.Add("inputs");
        report.Add($"outcome.{thrown?.GetType().Name ?? "read"}");
        bool isRefused = thrown is MuseAtelierException,
            isFailure = thrown is not null && !isRefused;
        if (isFailure)
            report.Fail("thrown", where, options.Only is null ? Brief(thrown!) : thrown!.ToString());
        if (isRefused && thrown!.Message.AsSpan().IndexOfAny('\n', '\u001b') >= 0)
            report.Fail("message", where, $"the message of {thrown.GetType().Name} has several lines or commands a terminal");
        if (bytes > MostBytes)
            report.Fail(
                "allocated",
                where,
                FormattableString.Invariant($"{bytes / (double)(1 << 20):F0} MiB, {thrown?.GetType().Name ?? "read"}")
            );
        if (seconds > MostSeconds)
        {
            if (options.BoundsTime)
                report.Fail("slow", where, FormattableString.Invariant($"{seconds:F1} s, {thrown?.GetType().Name ?? "read"}"));
            else
                report.Note(FormattableString.Invariant($"slow: {where}, {seconds:F1} s"));
        }

        if (options.Only is not null)
            report.Note(thrown is null ? "read" : $"{thrown.GetType().Name}: {thrown.Message}");
        if (options.Keep is { } folder && (options.Only is not null || isFailure || bytes > MostBytes || seconds > MostSeconds))
            File.WriteAllBytes(
                Path.Combine(
                    Directory.CreateDirectory(folder).FullName,
                    FormattableString.Invariant($"{options.Target}-{options.Seed}-{index}")
                ),
                input
            );
        return thrown is null;
    }

    private static (Exception? Thrown, double Seconds, long Bytes) Read(FuzzTarget target)
    {
        long before = GC.GetTotalAllocatedBytes(),
            start = Stopwatch.GetTimestamp();
        TimeSpan used = Environment.CpuUsage.TotalTime;
        Exception? thrown = null;
        try
        {
            target.Read();
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            thrown = exception;
        }

        // Beside other programs an input takes longer than it uses the processor, and beside threads of this one it seems to use it longer.
        TimeSpan least = TimeSpan.FromTicks(
            Math.Min(Stopwatch.GetElapsedTime(start).Ticks, (Environment.CpuUsage.TotalTime - used).Ticks));
        return (thrown, least.TotalSeconds, GC.GetTotalAllocatedBytes() - before);
    }

    private static async Task UseAsync(FuzzTarget target, FuzzOptions options, int index, StormReport report)
    {
        report.Add("used");
        try
        {
            await target.UseAsync();
            report.Add("used.well");
        }
        catch (MuseAtelierException exception)
        {
            report.Add($"used.{exception.GetType().Name}");
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            report.Fail(
                "thrown",
                FormattableString.Invariant($"--seed {options.Seed} --only {index}, used"),
                options.Only is null ? Brief(exception) : exception.ToString()
            );
        }
    }

    // The description has the type, the beginning of the message and the first place in this program's own code.
    private static string Brief(Exception exception)
    {
        string message = exception.Message.ReplaceLineEndings(" "),
            place =
                (exception.StackTrace ?? "")
                    .Split('\n')
                    .FirstOrDefault(line => line.Contains("MuseAtelier", StringComparison.Ordinal))
                    ?.Trim()
                ?? "";
        return $"{exception.GetType().Name}: {(message.Length > 160 ? message[..160] : message)} {place}";
    }

    /// <summary>The largest costs of an input.</summary>
    private sealed class Worst
    {
        public double Seconds { get; private set; }

        public int SecondsAt { get; private set; }

        public long Bytes { get; private set; }

        public int BytesAt { get; private set; }

        public void Add(int index, double seconds, long bytes)
        {
            if (seconds > Seconds)
                (Seconds, SecondsAt) = (seconds, index);
            if (bytes > Bytes)
                (Bytes, BytesAt) = (bytes, index);
        }
    }
}
