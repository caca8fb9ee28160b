using System.CommandLine;
using System.Diagnostics;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>
/// Measures the time until a cancelled request ends: of a request that waits behind a long picture, and of one that is being painted.
/// </summary>
internal static class CancelStorm
{
    public static Command Command()
    {
        Option<StormDevice> device = StormCommand.Device();
        Option<int> count = StormCommand.Number("--count", "Cancellations of each kind.", 20);
        Option<int> bound = StormCommand.Number("--bound-ms", "Milliseconds that a queued request may take to come back.", 50);
        Option<int> size = StormCommand.Number("--size", "Width and height in px of the long picture.", 512);
        var mode = new Option<string>("--mode")
        {
            Description = "How the atelier is opened, as with 'ateliers --modes'.",
            DefaultValueFactory = _ => "auto",
        };
        return StormCommand.Storm(
            "cancel",
            "Cancels requests that wait behind a long picture, and ones that are being painted; shows how long they take to come back.",
            [device, count, bound, size, mode],
            (result, report) =>
                RunAsync(
                    result.GetValue(device),
                    result.GetValue(mode)!,
                    result.GetValue(count),
                    result.GetValue(bound),
                    result.GetValue(size),
                    report
                )
        );
    }

    public static async Task RunAsync(StormDevice device, string mode, int count, int boundMilliseconds, int size, StormReport report)
    {
        using var folder = new StormFolder();
        await using Atelier atelier = await AtelierSetup.ParseAll(mode, 1)[0].OpenAsync(device, folder);
        report.Device = atelier.Device;
        var small = new PictureRequest
        {
            Prompt = "a starry night",
            Width = 256,
            Height = 256,
            Steps = 1,
            Seed = 7,
        };
        await atelier.GenerateAsync(small);
        PictureDigest before = PictureDigest.Of(await atelier.GenerateAsync(small));
        IReadOnlyList<double> queued = await CancelQueuedAsync(
            atelier,
            small with
            {
                Width = size,
                Height = size,
                Steps = RequestLimits.Steps,
            },
            small,
            count,
            report
        );
        IReadOnlyList<double> running = await CancelRunningAsync(
            atelier,
            small with
            {
                Width = size,
                Height = size,
                Steps = RequestLimits.Steps,
            },
            count,
            report
        );
        if (PictureDigest.Of(await atelier.GenerateAsync(small)).DifferenceTo(before) is { } difference)
            report.Fail("wrong", "the picture after all cancellations", difference);
        Show(report, "queuedMs", queued);
        Show(report, "runningMs", running);
        foreach (double late in queued.Where(latency => latency > boundMilliseconds))
            report.Fail("late", "queued", FormattableString.Invariant($"{late:F0} ms; allowed are {boundMilliseconds}"));
    }

    // The long picture has enough steps to outlast the measurement, and is cancelled at its end.
    private static async Task<IReadOnlyList<double>> CancelQueuedAsync(
        Atelier atelier,
        PictureRequest lengthy,
        PictureRequest small,
        int count,
        StormReport report
    )
    {
        using var end = new CancellationTokenSource();
        Task<Picture> running = atelier.GenerateAsync(lengthy, cancellationToken: end.Token);
        var latencies = new List<double>();
        for (int i = 0; i < count && !running.IsCompleted; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<Picture> waiting = atelier.GenerateAsync(small, cancellationToken: cancel.Token);
            await Task.Delay(20);
            long start = Stopwatch.GetTimestamp();
            await cancel.CancelAsync();
            // If the queue observed a token only at the request's turn, this would wait for the whole long picture.
            if (await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromSeconds(5))) != waiting)
            {
                report.Note("a cancelled queued request did not come back within 5 s: it waits for the picture before it");
                latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                break;
            }

            await ExpectCancelledAsync(waiting, "queued", report);
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        await end.CancelAsync();
        await ExpectCancelledAsync(running, "the long picture", report);
        return latencies;
    }

    private static async Task<IReadOnlyList<double>> CancelRunningAsync(
        Atelier atelier,
        PictureRequest lengthy,
        int count,
        StormReport report
    )
    {
        var latencies = new List<double>();
        for (int i = 0; i < count; i++)
        {
            using var cancel = new CancellationTokenSource();
            var stepped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<Picture> running = atelier.GenerateAsync(lengthy, new StepReport(stepped), cancel.Token);
            await Task.WhenAny(running, stepped.Task);
            long start = Stopwatch.GetTimestamp();
            await cancel.CancelAsync();
            await ExpectCancelledAsync(running, "running", report);
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return latencies;
    }

    private static async Task ExpectCancelledAsync(Task<Picture> task, string what, StormReport report)
    {
        try
        {
            await task;
            report.Add($"finishedAnyway.{what}");
        }
        catch (OperationCanceledException)
        {
            report.Add("cancelled");
        }
#pragma warning disable CA1031 // The storm reports every exception.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            report.Fail("thrown", what, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    private static void Show(StormReport report, string name, IReadOnlyList<double> latencies)
    {
        if (latencies.Count == 0)
            return;
        double[] sorted = [.. latencies.Order()];
        report.Add($"{name}.count", sorted.Length);
        report.Figure($"{name}.p50", sorted[sorted.Length / 2]);
        report.Figure($"{name}.most", sorted[^1]);
    }

    private static class RequestLimits
    {
        public const int Steps = 1000;
    }

    /// <summary>Reports that the second step is done.</summary>
    private sealed class StepReport(TaskCompletionSource stepped) : IProgress<GenerationProgress>
    {
        public void Report(GenerationProgress value)
        {
            if (value.Phase == GenerationPhase.Denoising && value.Step >= 2)
                stepped.TrySetResult();
        }
    }
}
