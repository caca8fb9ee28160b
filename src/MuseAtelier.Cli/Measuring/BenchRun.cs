using System.Diagnostics;
using MuseAtelier.Cuda;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Measuring;

/// <summary>Paints pictures one after the other and measures them.</summary>
internal static class BenchRun
{
    /// <summary>Opens the model and paints: one picture that is not counted, then so many with prompts of their own, then one with a known prompt.</summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="options">How the atelier is set up; memory is watched whatever they say.</param>
    /// <param name="request">What to paint; prompts get numbers.</param>
    /// <param name="pictures">Pictures that count, or passes of several.</param>
    /// <param name="together">Pictures that are denoised together.</param>
    /// <param name="report">Told after each picture.</param>
    /// <param name="stop">Stops within a step.</param>
    public static async Task<Measurement> RunAsync(string model, AtelierOptions options, PictureRequest request, int pictures, int together, Action<Picture> report, CancellationToken stop)
    {
        AtelierChoices.RequireBudget(model, options, request);
        await using Atelier atelier = await Atelier.OpenAsync(model, options with { WatchMemory = true }, cancellationToken: stop);
        double open = MeasuredMachine.SecondsSinceStart();
        string file = Path.Combine(Path.GetTempPath(), $"muse-bench-{Environment.ProcessId}.png");
        try
        {
            (IReadOnlyList<Picture> firstPass, double firstSeconds) = await PaintAsync(atelier, request, together, stop);
            Picture first = firstPass[^1];
            double firstAt = MeasuredMachine.SecondsSinceStart();
            PictureFile.Write(first, file, new PictureFileOptions { Overwrite = true });
            double firstFileAt = MeasuredMachine.SecondsSinceStart();
            report(first);

            var painted = new List<(IReadOnlyList<Picture> Pass, double Seconds)>();
            var files = new List<double>();
            for (int i = 0; i < pictures; i++)
            {
                painted.Add(await PaintAsync(atelier, request with { Prompt = $"{request.Prompt}, {i}", Seed = unchecked(request.Seed + (ulong)(i * together)) }, together, stop));
                long begin = Stopwatch.GetTimestamp();
                PictureFile.Write(painted[^1].Pass[^1], file, new PictureFileOptions { Overwrite = true });
                files.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
                report(painted[^1].Pass[^1]);
            }

            (_, double known) = await PaintAsync(atelier, request, together, stop);
            // Pictures of a pass have their steps in common, and each its decoding.
            Picture[] measured = [.. painted.SelectMany(one => one.Pass)], lasts = [.. painted.Select(one => one.Pass[^1])];
            double[] steps = [.. lasts.SelectMany(picture => picture.Timings.Steps).Select(step => step.TotalMilliseconds).Order()];
            double Middle(Func<PictureTimings, TimeSpan> part) => Median(measured.Select(picture => part(picture.Timings).TotalSeconds));
            double? plain = request.Frame is null ? null : await PlainFinishingAsync(atelier, request with { Frame = null }, pictures, stop);
            double finishing = 1000 * Middle(timings => timings.Finishing);
            PictureMemory[] memory = [.. firstPass.Concat(measured).Select(picture => picture.Memory!)];
            using var process = Process.GetCurrentProcess();
            return new Measurement
            {
                Date = DateTime.UtcNow,
                Machine = MeasuredMachine.Of(atelier.Device, atelier.RuntimeVersion, options.Backend),
                Model = atelier.Model.Name,
                Parameters = atelier.Model.Parameters,
                Width = request.Width,
                Height = request.Height,
                Steps = request.Steps,
                GuidanceScale = request.GuidanceScale,
                BatchSize = together,
                Pictures = pictures,
                OpenSeconds = open,
                FirstPictureAtSeconds = firstAt,
                FirstFileAtSeconds = firstFileAt,
                FirstSeconds = firstSeconds,
                PictureSeconds = Median(painted.Select(one => one.Seconds)),
                LeastSeconds = painted.Min(one => one.Seconds),
                MostSeconds = painted.Max(one => one.Seconds),
                KnownPromptSeconds = known,
                TextSeconds = Middle(timings => timings.Text),
                DenoisingSeconds = Middle(timings => timings.Denoising),
                DecodingSeconds = Middle(timings => timings.Decoding),
                Frame = request.Frame is { } frame ? $"{frame.Style} {frame.Placement}" : null,
                FinishingMilliseconds = finishing,
                FrameMilliseconds = finishing - plain,
                FileSeconds = Median(files),
                StepMedianMilliseconds = steps[steps.Length / 2],
                StepP99Milliseconds = steps[Math.Min(steps.Length - 1, (int)(steps.Length * 0.99))],
                StepMostMilliseconds = steps[^1],
                StepMilliseconds = [.. painted[^1].Pass[^1].Timings.Steps.Select(step => Math.Round(step.TotalMilliseconds, 3))],
                ManagedBytesPerStep = lasts.Sum(picture => picture.Timings.DenoisingManagedBytes) / (double)steps.Length,
                BudgetBytes = options.Backend is CudaBackend ? options.VideoMemoryBudget : options.MemoryBudget,
                PlannedBytes = memory.Max(picture => picture.Phases.Max(phase => phase.PlannedBytes)),
                Offload = memory[0].Plan.Offload,
                PeakDeviceBytes = memory.Max(picture => picture.PeakBytes),
                ArenaUsedBytes = memory.Max(picture => picture.ArenaUsedBytes),
                ArenaHeldBytes = memory.Max(picture => picture.ArenaHeldBytes),
                Phases = [.. memory.SelectMany(picture => picture.Phases).GroupBy(phase => phase.Phase)
                    .Select(phase => new PhaseMemory(phase.Key, phase.Max(one => one.PlannedBytes), phase.Max(one => one.PeakBytes), phase.Max(one => one.ArenaHeldBytes)))],
                PeakHostBytes = process.PeakWorkingSet64,
            };
        }
        finally
        {
            File.Delete(file);
        }
    }

    // The same without the frame, in milliseconds; one picture does not count.
    private static async Task<double> PlainFinishingAsync(Atelier atelier, PictureRequest request, int pictures, CancellationToken stop)
    {
        var finishing = new List<double>();
        for (int i = 0; i <= pictures; i++) finishing.Add((await atelier.GenerateAsync(request, cancellationToken: stop)).Timings.Finishing.TotalMilliseconds);
        return Median(finishing.Skip(1));
    }

    // The pictures of a pass, and the seconds that each took.
    private static async Task<(IReadOnlyList<Picture> Pass, double Seconds)> PaintAsync(Atelier atelier, PictureRequest request, int together, CancellationToken stop)
    {
        long begin = Stopwatch.GetTimestamp();
        List<Picture> pass = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(request, together, together, cancellationToken: stop)) pass.Add(picture);
        return (pass, Stopwatch.GetElapsedTime(begin).TotalSeconds / together);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
