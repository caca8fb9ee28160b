using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>The options of <see cref="CallersStorm"/>.</summary>
internal sealed record CallersOptions
{
    public StormDevice Device { get; init; }

    /// <summary>The setups of the ateliers, which are open at the same time.</summary>
    public string Modes { get; init; } = "auto,auto:variant";

    /// <summary>The number of requests in all.</summary>
    public int Count { get; init; } = 500;

    /// <summary>The number of different requests.</summary>
    public int Requests { get; init; } = 6;

    /// <summary>The number of concurrent callers.</summary>
    public int Callers { get; init; } = 20;

    public int Seed { get; init; } = 1;

    /// <summary>Milliseconds that a cancelled request may take to end.</summary>
    public int BoundMilliseconds { get; init; } = 50;

    /// <summary>Seconds without any finished request after which the storm counts as hanging.</summary>
    public int HangSeconds { get; init; } = 180;
}

/// <summary>
/// Many callers share a few ateliers and cancel at random times, some while they wait and some while they are painted. Each finished
/// picture must have the same bytes as the one that its atelier paints alone. Measures how long after its cancellation each request ends.
/// </summary>
internal sealed class CallersStorm : IDisposable
{
    private readonly CallersOptions _options;
    private readonly StormReport _report;
    private readonly StormFolder _folder = new();
    private readonly AtelierSetup[] _setups;
    private readonly IReadOnlyList<PictureRequest> _requests;
    private readonly List<PictureDigest[]> _alone = [];
    private readonly List<Atelier> _ateliers = [];
    private readonly CancelLatencies _latencies;
    private double _longestMilliseconds;
    private long _finished;

    private CallersStorm(CallersOptions options, StormReport report)
    {
        (_options, _report) = (options, report);
        _setups = [.. AtelierSetup.ParseAll(options.Modes, options.Modes.Split(',').Length)];
        _requests = StormRequests.DrawSmall(new Random(options.Seed), options.Requests);
        _latencies = new CancelLatencies(report, options.BoundMilliseconds);
    }

    public static Command Command()
    {
        var defaults = new CallersOptions();
        Option<StormDevice> device = StormCommand.Device();
        var modes = new Option<string>("--modes")
        {
            Description = "The ateliers: MODE[:variant][@BUDGET], separated by commas, as with 'ateliers --modes'.",
            DefaultValueFactory = _ => defaults.Modes,
        };
        Option<int> count = StormCommand.Number("--count", "Requests in all.", defaults.Count);
        Option<int> requests = StormCommand.Number("--requests", "Different requests; each is painted alone first.", defaults.Requests);
        Option<int> callers = StormCommand.Number("--callers", "Callers at the same time.", defaults.Callers);
        Option<int> seed = StormCommand.Number("--seed", "Which requests, and when they are cancelled.", defaults.Seed);
        Option<int> bound = StormCommand.Number(
            "--bound-ms",
            "Milliseconds that a cancelled request may take to end.",
            defaults.BoundMilliseconds
        );
        Option<int> hang = StormCommand.Number(
            "--hang-seconds",
            "Seconds without a finished request after which the storm gives up (exit code 3).",
            defaults.HangSeconds
        );
        return StormCommand.Storm(
            "callers",
            "Many callers of a few ateliers, with cancellations at random times; shows how late each cancelled request ends.",
            [device, modes, count, requests, callers, seed, bound, hang],
            (result, report) =>
                RunAsync(
                    new CallersOptions
                    {
                        Device = result.GetValue(device),
                        Modes = result.GetValue(modes)!,
                        Count = result.GetValue(count),
                        Requests = result.GetValue(requests),
                        Callers = result.GetValue(callers),
                        Seed = result.GetValue(seed),
                        BoundMilliseconds = result.GetValue(bound),
                        HangSeconds = result.GetValue(hang),
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(CallersOptions options, StormReport report)
    {
        var storm = new CallersStorm(options, report);
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
        foreach (AtelierSetup setup in _setups)
            _alone.Add(await PaintAloneAsync(setup));
        Say("the expected pictures are painted");
        foreach (AtelierSetup setup in _setups)
            _ateliers.Add(await setup.OpenAsync(_options.Device, _folder));
        _report.Device = _ateliers[0].Device;
        CallerJob[] jobs = Draw();
        long start = Stopwatch.GetTimestamp();
        int next = -1;
        async Task CallAsync()
        {
            while (Interlocked.Increment(ref next) is var index && index < jobs.Length)
            {
                await RunJobAsync(jobs[index]);
                _report.Add("requests");
                if (Interlocked.Increment(ref _finished) % 50 == 0)
                    Say(FormattableString.Invariant($"{Interlocked.Read(ref _finished)} of {jobs.Length} requests"));
            }
        }

        Task work = Task.WhenAll(Enumerable.Range(0, _options.Callers).Select(_ => Task.Run(CallAsync)));
        await _report.WatchAsync("callers", work, () => Interlocked.Read(ref _finished), _options.HangSeconds);
        _report.Figure("seconds", Stopwatch.GetElapsedTime(start).TotalSeconds);
        _latencies.Show();
        if (_report.Hung)
            return;
        foreach (Atelier atelier in _ateliers)
            await atelier.DisposeAsync();
    }

    private void Say(string what) =>
        Console.Error.WriteLine(
            FormattableString.Invariant($"{_report.Seconds:F0} s, {what}; wrong {_report.Count("wrong")}, late {_report.Count("late")}")
        );

    private async Task<PictureDigest[]> PaintAloneAsync(AtelierSetup setup)
    {
        await using Atelier atelier = await setup.OpenAsync(_options.Device, _folder);
        var digests = new PictureDigest[_requests.Count];
        for (int i = 0; i < digests.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            using Picture picture = await atelier.GenerateAsync(_requests[i]);
            digests[i] = PictureDigest.Of(picture);
            // The first picture loads the model.
            if (i > 0)
                _longestMilliseconds = Math.Max(_longestMilliseconds, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return digests;
    }

    private CallerJob[] Draw()
    {
        var random = new Random(unchecked(_options.Seed + 1));
        return [.. Enumerable.Range(0, _options.Count).Select(i => Draw(random, i))];
    }

    private CallerJob Draw(Random random, int index)
    {
        int chance = random.Next(100),
            request = random.Next(_requests.Count);
        CancelTime time =
            chance < 25 ? CancelTime.AfterTheCall
            : chance < 50 ? CancelTime.AfterAReport
            : CancelTime.Never;
        // Encoding, each step and decoding are reported when they begin or end. Several callers wait for each atelier, so that most of
        // those that cancel within the time of a picture still wait.
        int reports = _requests[request].Steps + 2;
        double longest = time == CancelTime.AfterTheCall ? _longestMilliseconds : _longestMilliseconds / reports;
        return new CallerJob(
            index,
            random.Next(_setups.Length),
            request,
            (GenerationPriority)(random.Next(3) - 1),
            time,
            1 + random.Next(reports),
            TimeSpan.FromMilliseconds(random.NextDouble() * longest)
        );
    }

    private async Task RunJobAsync(CallerJob job)
    {
        string where = FormattableString.Invariant($"{job.Index}: {_setups[job.Setup].Text}, request {job.Request}, {job.Time}");
        var phase = new PhaseReport(job.Reports);
        using var cancel = new CancellationTokenSource();
        var options = new GenerationOptions { Progress = phase, Priority = job.Priority };
        Task<Picture> painting = _ateliers[job.Setup].GenerateAsync(_requests[job.Request], options, cancel.Token);
        if (job.Time == CancelTime.AfterAReport)
            await Task.WhenAny(painting, phase.Reached);
        if (job.Time != CancelTime.Never)
            await Task.WhenAny(painting, Task.Delay(job.Wait));
        GenerationPhase at = phase.Last;
        long start = Stopwatch.GetTimestamp();
        bool cancels = job.Time != CancelTime.Never && !painting.IsCompleted;
        try
        {
            if (cancels)
                await cancel.CancelAsync();
            // Disposing gives the memory to the next pictures: one that is given back too early shows as a wrong picture.
            using Picture picture = await painting;
            PictureDigest painted = PictureDigest.Of(picture);
            _report.Add(cancels ? "finishedAnyway" : "pictures");
            if (painted.DifferenceTo(_alone[job.Setup][job.Request]) is { } difference)
                _report.Fail("wrong", where, difference);
        }
        catch (OperationCanceledException) when (cancels)
        {
            _latencies.Add(at, Stopwatch.GetElapsedTime(start), where);
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _report.Fail("thrown", where, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>Keeps the phase of a request.</summary>
    private sealed class PhaseReport(int wanted) : IProgress<GenerationProgress>
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile GenerationPhase _last;
        private int _reports;

        /// <summary>Ends with the wanted report of those that follow the wait.</summary>
        public Task Reached => _reached.Task;

        public GenerationPhase Last => _last;

        public void Report(GenerationProgress value)
        {
            _last = value.Phase;
            if (value.Phase != GenerationPhase.Queued && ++_reports == wanted)
                _reached.TrySetResult();
        }
    }
}

/// <summary>When a caller cancels its request.</summary>
internal enum CancelTime
{
    /// <summary>Never.</summary>
    Never,

    /// <summary>After a random time from the call; most such requests still wait.</summary>
    AfterTheCall,

    /// <summary>After a random report of the painting, and a random time from then.</summary>
    AfterAReport,
}

/// <summary>A request of a caller.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Setup">Index of the atelier.</param>
/// <param name="Request">Index of the request.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="Time">When it is cancelled.</param>
/// <param name="Reports">The report of the painting after which it is cancelled, from 1.</param>
/// <param name="Wait">The time from then to the cancellation.</param>
internal sealed record CallerJob(
    int Index,
    int Setup,
    int Request,
    GenerationPriority Priority,
    CancelTime Time,
    int Reports,
    TimeSpan Wait
);
