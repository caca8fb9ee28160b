using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>The options of <see cref="AteliersStorm"/>.</summary>
internal sealed record AteliersOptions
{
    public StormDevice Device { get; init; }

    /// <summary>The number of ateliers that are open at the same time.</summary>
    public int Ateliers { get; init; } = 3;

    /// <summary>The setups of the ateliers.</summary>
    public string Modes { get; init; } = AtelierSetup.Defaults;

    /// <summary>The number of jobs of each phase.</summary>
    public int Count { get; init; } = 200;

    /// <summary>The number of different requests.</summary>
    public int Requests { get; init; } = 8;

    /// <summary>The number of concurrent callers.</summary>
    public int Callers { get; init; } = 6;

    public int Seed { get; init; } = 1;

    /// <summary>Seconds after which a phase begins no further job; 0 means no limit.</summary>
    public int SecondsLimit { get; init; }

    /// <summary>Seconds without any finished job after which the storm counts as hanging.</summary>
    public int HangSeconds { get; init; } = 180;

    /// <summary>Whether the reference pictures are painted in this process rather than in processes of their own.</summary>
    public bool AloneHere { get; init; }
}

/// <summary>
/// Runs several ateliers in one process, first in turn and then concurrently, with mixed sizes, with cancellations, and with ateliers that
/// are opened and disposed in between. Each finished picture must have the same bytes as the one that its atelier paints alone.
/// </summary>
internal sealed class AteliersStorm : IDisposable
{
    private readonly AteliersOptions _options;
    private readonly StormReport _report;
    private readonly StormFolder _folder = new();
    private readonly IReadOnlyList<AtelierSetup> _setups;
    private readonly IReadOnlyList<StormRequest> _requests;
    private readonly Dictionary<string, PictureDigest[][]> _alone = new(StringComparer.Ordinal);
    private readonly List<Atelier> _ateliers = [];
    private long _finished;

    private AteliersStorm(AteliersOptions options, StormReport report)
    {
        (_options, _report) = (options, report);
        _setups = AtelierSetup.ParseAll(options.Modes, options.Ateliers);
        _requests = StormRequests.Draw(new Random(options.Seed), options.Requests);
    }

    public static Command Command()
    {
        var defaults = new AteliersOptions();
        Option<StormDevice> device = StormCommand.Device();
        Option<int> ateliers = StormCommand.Number("--ateliers", "Ateliers that are open at the same time.", defaults.Ateliers);
        var modes = new Option<string>("--modes")
        {
            Description =
                "How they are opened: MODE[:variant][@BUDGET], separated by commas; modes are auto, resident, stream and rotate.",
            DefaultValueFactory = _ => defaults.Modes,
        };
        Option<int> count = StormCommand.Number("--count", "Jobs by turns, and as many at the same time.", defaults.Count);
        Option<int> requests = StormCommand.Number(
            "--requests",
            "Different requests; each is painted alone first, once for each kind of atelier.",
            defaults.Requests
        );
        Option<int> callers = StormCommand.Number("--callers", "Callers at the same time.", defaults.Callers);
        Option<int> seed = StormCommand.Number("--seed", "Which requests and jobs.", defaults.Seed);
        Option<int> limit = StormCommand.Number(
            "--seconds-limit",
            "Seconds after which a phase begins no further job; 0 means no limit.",
            defaults.SecondsLimit
        );
        Option<int> hang = StormCommand.Number(
            "--hang-seconds",
            "Seconds without a finished job after which the storm gives up (exit code 3).",
            defaults.HangSeconds
        );
        var here = new Option<bool>("--alone-here")
        {
            Description = "Paint the pictures to compare with in this process, not in one of its own for each kind of atelier.",
        };
        return StormCommand.Storm(
            "ateliers",
            "Several ateliers in one process, by turns and at the same time; every picture must be the one that its atelier paints alone.",
            [device, ateliers, modes, count, requests, callers, seed, limit, hang, here],
            (result, report) =>
                RunAsync(
                    new AteliersOptions
                    {
                        Device = result.GetValue(device),
                        Ateliers = result.GetValue(ateliers),
                        Modes = result.GetValue(modes)!,
                        Count = result.GetValue(count),
                        Requests = result.GetValue(requests),
                        Callers = result.GetValue(callers),
                        Seed = result.GetValue(seed),
                        SecondsLimit = result.GetValue(limit),
                        HangSeconds = result.GetValue(hang),
                        AloneHere = result.GetValue(here),
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(AteliersOptions options, StormReport report)
    {
        var storm = new AteliersStorm(options, report);
        try
        {
            await storm.RunAsync();
        }
        finally
        {
            // The folder must remain, because an atelier that hangs still reads its files.
            if (!report.Hung)
                storm.Dispose();
        }
    }

    public void Dispose() => _folder.Dispose();

    private async Task RunAsync()
    {
        foreach (AtelierSetup setup in _setups.DistinctBy(setup => setup.Text))
            await PaintAloneAsync(setup);
        if (_alone.Count < _setups.DistinctBy(setup => setup.Text).Count())
            return;
        if (await OpenAsync())
            await RunPhasesAsync();
        if (!_report.Hung)
            await DisposeAteliersAsync();
    }

    private async Task RunPhasesAsync()
    {
        _report.Device = _ateliers[0].Device;
        Say("by turns");
        await RunPhaseAsync("turns", 1, JobsByTurns());
        Say("at the same time");
        if (!_report.Hung)
            await RunPhaseAsync("together", _options.Callers, JobsTogether());
    }

    private async Task PaintAloneAsync(AtelierSetup setup)
    {
        Say($"alone: {setup.Text}");
        try
        {
            if (_options.AloneHere)
            {
                _alone[setup.Text] =
                [
                    .. (await AloneRun.PaintAsync(setup, _requests, _options.Device, _folder)).Select(pictures => pictures.ToArray()),
                ];
                return;
            }

            (PictureDigest[][]? digests, ChildResult child) = await AloneRun.PaintInChildAsync(
                setup.Text,
                _options.Seed,
                _options.Requests,
                _options.Device,
                _folder
            );
            if (digests is not null)
                _alone[setup.Text] = digests;
            // The pictures count even if the process failed at its exit.
            if (digests is null || child.ExitCode != 0)
                _report.Fail(digests is null ? "aloneFailed" : "aloneExitCode", setup.Text, child.Describe());
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Thrown($"alone {setup.Text}", exception);
        }
    }

    private async Task<bool> OpenAsync()
    {
        foreach (AtelierSetup setup in _setups)
        {
            try
            {
                _ateliers.Add(await setup.OpenAsync(_options.Device, _folder));
            }
#pragma warning disable CA1031 // The storm reports every exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Thrown($"opening {setup.Text}", exception);
                return false;
            }
        }

        return true;
    }

    private IReadOnlyList<AtelierJob> JobsByTurns()
    {
        var random = new Random(unchecked(_options.Seed + 1));
        return
        [
            .. Enumerable
                .Range(0, _options.Count)
                .Select(i => new AtelierJob(i, AtelierJobKind.Paint, i % _setups.Count, random.Next(_requests.Count), null)),
        ];
    }

    private IReadOnlyList<AtelierJob> JobsTogether()
    {
        var random = new Random(unchecked(_options.Seed + 2));
        int longest = _options.Device == StormDevice.Cuda ? 200 : 1500;
        return [.. Enumerable.Range(0, _options.Count).Select(i => Draw(random, i, longest))];
    }

    private AtelierJob Draw(Random random, int index, int longest)
    {
        int chance = random.Next(100),
            setup = random.Next(_setups.Count),
            request = random.Next(_requests.Count),
            wait = random.Next(longest);
        AtelierJobKind kind =
            chance < 5 ? AtelierJobKind.OpenAnother
            : chance < 25 ? AtelierJobKind.Cancel
            : AtelierJobKind.Paint;
        return new AtelierJob(index, kind, setup, request, kind == AtelierJobKind.Cancel ? TimeSpan.FromMilliseconds(wait) : null);
    }

    private async Task RunPhaseAsync(string phase, int callers, IReadOnlyList<AtelierJob> jobs)
    {
        long start = Stopwatch.GetTimestamp();
        int next = -1;
        async Task CallAsync()
        {
            while (true)
            {
                int index = Interlocked.Increment(ref next);
                bool late = _options.SecondsLimit > 0 && Stopwatch.GetElapsedTime(start).TotalSeconds > _options.SecondsLimit;
                if (index >= jobs.Count || late)
                    return;
                await RunJobAsync(phase, jobs[index]);
                Interlocked.Increment(ref _finished);
                _report.Add($"{phase}.jobs");
                if ((index + 1) % 50 == 0)
                    Say(FormattableString.Invariant($"{phase}: {index + 1} of {jobs.Count}"));
            }
        }

        Task work = Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));
        await WatchAsync(phase, work);
        _report.Figure($"{phase}.seconds", Stopwatch.GetElapsedTime(start).TotalSeconds);
        if (_report.Count($"{phase}.jobs") < jobs.Count)
            _report.Note(
                FormattableString.Invariant($"{phase}: {_report.Count($"{phase}.jobs")} of {jobs.Count} jobs were begun within the limit")
            );
    }

    private async Task RunJobAsync(string phase, AtelierJob job)
    {
        string where = FormattableString.Invariant($"{phase} {job.Index}: {job.Kind}, {_setups[job.Setup].Text}, {_requests[job.Request]}");
        using var cancel = new CancellationTokenSource();
        long cancelledAt = 0;
        using CancellationTokenRegistration mark = cancel.Token.Register(() => cancelledAt = Stopwatch.GetTimestamp());
        if (job.CancelAfter is { } wait)
            cancel.CancelAfter(wait);
        try
        {
            IReadOnlyList<PictureDigest> pictures =
                job.Kind == AtelierJobKind.OpenAnother
                    ? await PaintWithAnotherAsync(job)
                    : await _requests[job.Request].PaintAsync(_ateliers[job.Setup], cancel.Token);
            Compare(where, job, pictures);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            _report.Add("cancelled");
            double late = Stopwatch.GetElapsedTime(cancelledAt).TotalMilliseconds;
            if (late > 1000)
                _report.Add("cancelledLaterThanASecond");
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Thrown(where, exception);
        }
    }

    private async Task<IReadOnlyList<PictureDigest>> PaintWithAnotherAsync(AtelierJob job)
    {
        await using Atelier another = await _setups[job.Setup].OpenAsync(_options.Device, _folder);
        _report.Add("openedInBetween");
        return await _requests[job.Request].PaintAsync(another);
    }

    private void Compare(string where, AtelierJob job, IReadOnlyList<PictureDigest> pictures)
    {
        PictureDigest[] expected = _alone[_setups[job.Setup].Text][job.Request];
        _report.Add("pictures", pictures.Count);
        if (pictures.Count != expected.Length)
            _report.Fail("wrong", where, FormattableString.Invariant($"{pictures.Count} pictures instead of {expected.Length}"));
        for (int i = 0; i < Math.Min(pictures.Count, expected.Length); i++)
            if (pictures[i].DifferenceTo(expected[i]) is { } difference)
                _report.Fail("wrong", where, FormattableString.Invariant($"picture {i}: {difference}"));
    }

    private Task WatchAsync(string what, Task work) =>
        _report.WatchAsync(what, work, () => Interlocked.Read(ref _finished), _options.HangSeconds);

    private async Task DisposeAteliersAsync()
    {
        for (int i = 0; i < _ateliers.Count; i++)
        {
            try
            {
                await WatchAsync($"disposal of {_setups[i].Text}", _ateliers[i].DisposeAsync().AsTask());
            }
#pragma warning disable CA1031 // The storm reports every exception.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Thrown($"disposal of {_setups[i].Text}", exception);
            }
        }
    }

    private void Thrown(string where, Exception exception)
    {
        _report.Add($"thrown.{exception.GetType().Name}");
        _report.Fail("thrown", where, $"{exception.GetType().Name}: {exception.Message}");
    }

    private void Say(string what) =>
        Console.Error.WriteLine(
            FormattableString.Invariant($"{_report.Seconds:F0} s, {what}; wrong {_report.Count("wrong")}, thrown {_report.Count("thrown")}")
        );
}

/// <summary>The kind of a job.</summary>
internal enum AtelierJobKind
{
    /// <summary>Paints with an atelier that is open.</summary>
    Paint,

    /// <summary>Paints and is cancelled after a while.</summary>
    Cancel,

    /// <summary>Opens a further atelier, paints with it and disposes it.</summary>
    OpenAnother,
}

/// <summary>A job of the storm.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Setup">Index of the atelier.</param>
/// <param name="Request">Index of the request.</param>
/// <param name="CancelAfter">The time until it is cancelled; null means never.</param>
internal sealed record AtelierJob(int Index, AtelierJobKind Kind, int Setup, int Request, TimeSpan? CancelAfter);
