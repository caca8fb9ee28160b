using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Requests;

/// <summary>The options of <see cref="RequestsStorm"/>.</summary>
internal sealed record RequestsOptions
{
    public int Count { get; init; } = 20_000;

    public int Seed { get; init; } = 1;

    /// <summary>Number of the only request to send; null means all.</summary>
    public int? Only { get; init; }

    /// <summary>Connections at the same time.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Seconds in which a request must be answered.</summary>
    public int AnswerSeconds { get; init; } = 20;

    /// <summary>MiB of anonymous memory that the process may take beyond what it has when the model is open.</summary>
    public int BoundMib { get; init; } = 512;
}

/// <summary>
/// Sends damaged requests to every route of the server, which runs in this process. Each must be answered in time and without a status of
/// 500 or more, with nothing from outside of the gallery and the models, and memory must stay bounded. A request depends only on the seed
/// and on its number; in the place of a job's id stands one that the server gave lately.
/// </summary>
internal static class RequestsStorm
{
    public static Command Command()
    {
        Option<int> count = StormCommand.Number("--count", "Requests.", 20_000);
        Option<int> seed = StormCommand.Number("--seed", "Which requests.", 1);
        var only = new Option<int?>("--only") { Description = "Send this request alone, and show its answer." };
        Option<int> connections = StormCommand.Number("--connections", "Connections at the same time.", 4);
        Option<int> seconds = StormCommand.Number("--answer-seconds", "Seconds in which a request must be answered.", 20);
        Option<int> bound = StormCommand.Number("--bound-mib", "MiB of memory that the process may take for all requests.", 512);
        return StormCommand.Storm(
            "requests",
            "Damaged requests to every route of the server: each is answered, in time, and not with 500.",
            [count, seed, only, connections, seconds, bound],
            (result, report) =>
                RunAsync(
                    new RequestsOptions
                    {
                        Count = result.GetValue(count),
                        Seed = result.GetValue(seed),
                        Only = result.GetValue(only),
                        Connections = result.GetValue(connections),
                        AnswerSeconds = result.GetValue(seconds),
                        BoundMib = result.GetValue(bound),
                    },
                    report
                )
        );
    }

    public static async Task RunAsync(RequestsOptions options, StormReport report)
    {
        await using FuzzedServer server = await FuzzedServer.StartAsync(report);
        using var memory = new MemoryWatch();
        int next = (options.Only ?? 0) - 1,
            end = options.Only is { } one ? one + 1 : options.Count;
        var worst = new Worst();
        await Task.WhenAll(Enumerable.Range(0, options.Only is null ? options.Connections : 1).Select(_ => Task.Run(WorkAsync)));
        memory.Report(report, options.BoundMib);
        report.Figure("mostAnswerMs", 1000 * worst.Seconds);
        report.Figure("mostAnswerMsAt", worst.At);
        if (server.ChangeOutside() is { } change)
            report.Fail("outside", "after all requests", change);

        async Task WorkAsync()
        {
            using var client = new RawClient(server.Port);
            for (int i = Interlocked.Increment(ref next); i < end; i = Interlocked.Increment(ref next))
            {
                worst.Add(i, await TryAsync(client, server, options, i, report));
                if ((i + 1) % 1000 == 0)
                    await Console.Error.WriteLineAsync(
                        FormattableString.Invariant($"{i + 1} of {end}; failures {report.Failures.Count}; {report.Seconds:F0} s")
                    );
            }
        }
    }

    private static async Task<double> TryAsync(
        RawClient client, FuzzedServer server, RequestsOptions options, int index, StormReport report)
    {
        FuzzedRequest request = RequestFuzz.Create(new Random(unchecked((options.Seed * 1_000_003) + index)), server.Host);
        string where = FormattableString.Invariant($"--seed {options.Seed} --only {index}: {request}");
        long start = Stopwatch.GetTimestamp();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(options.AnswerSeconds));
        report.Add("requests");
        try
        {
            RawAnswer? answer = await client.SendAsync(
                request.For(server.LatestJob), request.IsBroken, request.Method, patience.Token);
            if (answer is not null)
                Judge(request, answer, server, where, report);
            else if (!request.IsBroken)
                report.Fail("unanswered", where, "the connection was closed without an answer");
            else
                report.Add("status.none");
            // The log shows what failed in the one request; otherwise it is let go.
            string log = server.TakeLog();
            if (options.Only is not null)
                report.Note($"{request}: {answer?.ToString() ?? "no answer"}\n{log}");
        }
        catch (OperationCanceledException)
        {
            report.Fail("hanging", where, FormattableString.Invariant($"no answer in {options.AnswerSeconds} s"));
            client.Dispose();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Judge(FuzzedRequest request, RawAnswer answer, FuzzedServer server, string where, StormReport report)
    {
        report.Add(FormattableString.Invariant($"status.{answer.Status}"));
        if (AnswerCheck.Find(request, answer, server.Folder) is { } fault)
            report.Fail(fault.Kind, where, fault.What);
    }

    /// <summary>The longest time to an answer.</summary>
    private sealed class Worst
    {
        private readonly Lock _lock = new();

        public double Seconds { get; private set; }

        public int At { get; private set; }

        public void Add(int index, double seconds)
        {
            lock (_lock)
                if (seconds > Seconds)
                    (Seconds, At) = (seconds, index);
        }
    }
}
