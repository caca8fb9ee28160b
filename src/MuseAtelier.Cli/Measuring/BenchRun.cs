using System.Diagnostics;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Measuring;

/// <summary>Paints pictures one after the other and measures them.</summary>
internal static class BenchRun
{
    /// <summary>
    /// Opens the model and paints one batch that is not counted, then the counted batches, each with a prompt of its own, and last one
    /// batch whose prompt was encoded before.
    /// </summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="options">How the atelier is set up. Memory is watched whatever they say.</param>
    /// <param name="request">What to paint. Each counted batch gets a number appended to its prompt.</param>
    /// <param name="batches">Number of batches that count.</param>
    /// <param name="batchSize">Pictures of one batch, which are denoised together.</param>
    /// <param name="report">Called after each batch with its last picture.</param>
    /// <param name="stop">Stops within a step.</param>
    public static async Task<Measurement> RunAsync(
        string model,
        AtelierOptions options,
        PictureRequest request,
        int batches,
        int batchSize,
        Action<Picture> report,
        CancellationToken stop)
    {
        AtelierChoices.RequireBudget(model, options, request);
        await using Atelier atelier = await Atelier.OpenAsync(model, options with { WatchMemory = true }, cancellationToken: stop);
        double openAt = MeasuredMachine.SecondsSinceStart();
        string file = Path.Combine(Path.GetTempPath(), $"muse-bench-{Environment.ProcessId}.png");
        try
        {
            Batch first = await PaintAsync(atelier, request, batchSize, stop);
            double pictureAt = MeasuredMachine.SecondsSinceStart();
            WriteFile(first.Last, file);
            double fileAt = MeasuredMachine.SecondsSinceStart();
            report(first.Last);
            first.ReleasePixels();

            List<Batch> painted = [];
            List<double> fileSeconds = [];
            for (int i = 0; i < batches; i++)
            {
                PictureRequest next = request.InSeries(i * batchSize) with { Prompt = $"{request.Prompt}, {i}" };
                Batch batch = await PaintAsync(atelier, next, batchSize, stop);
                painted.Add(batch);
                fileSeconds.Add(WriteFile(batch.Last, file));
                report(batch.Last);
                batch.ReleasePixels();
            }

            Batch known = await PaintAsync(atelier, request, batchSize, stop);
            known.ReleasePixels();
            double? plain = request.Frame is null
                ? null
                : await PlainPostProcessingAsync(atelier, request with { Frame = null }, batches, stop);
            var observed = new Observations(first, painted, fileSeconds, known.Seconds, plain);
            return Describe(atelier, options, request, observed, new Milestones(openAt, pictureAt, fileAt));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Measurement Describe(
        Atelier atelier, AtelierOptions options, PictureRequest request, Observations observed, Milestones reached)
    {
        double[] steps = observed.StepMilliseconds();
        double postProcessing = 1000 * observed.MedianSeconds(timings => timings.PostProcessing);
        double denoisingBytes = observed.Batches.Sum(batch => batch.Last.Timings.DenoisingManagedBytes);
        PictureMemory[] memory = observed.Memory();
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
            Sampler = request.Sampler.Id,
            GuidanceScale = request.GuidanceScale,
            BatchSize = observed.First.Pictures.Count,
            Pictures = observed.Batches.Count,
            OpenSeconds = reached.OpenSeconds,
            FirstPictureAtSeconds = reached.PictureSeconds,
            FirstFileAtSeconds = reached.FileSeconds,
            FirstSeconds = observed.First.Seconds,
            PictureSeconds = Median(observed.Batches.Select(batch => batch.Seconds)),
            LeastSeconds = observed.Batches.Min(batch => batch.Seconds),
            MostSeconds = observed.Batches.Max(batch => batch.Seconds),
            KnownPromptSeconds = observed.KnownSeconds,
            TextSeconds = observed.MedianSeconds(timings => timings.Text),
            EncodingSeconds = observed.MedianSeconds(timings => timings.Encoding),
            DenoisingSeconds = observed.MedianSeconds(timings => timings.Denoising),
            MergingSeconds = request.Loras.Count == 0 ? 0 : observed.First.Pictures.Sum(picture => picture.Timings.Merging.TotalSeconds),
            DecodingSeconds = observed.MedianSeconds(timings => timings.Decoding),
            EnlargingSeconds = observed.MedianSeconds(timings => timings.Enlarging),
            Frame = request.Frame is { } frame ? $"{frame.Style} {frame.Placement}" : null,
            PostProcessingMilliseconds = postProcessing,
            FrameMilliseconds = postProcessing - observed.PlainPostProcessingMilliseconds,
            FileSeconds = Median(observed.FileSeconds),
            StepMedianMilliseconds = steps[steps.Length / 2],
            StepP99Milliseconds = steps[Math.Min(steps.Length - 1, (int)(steps.Length * 0.99))],
            StepMostMilliseconds = steps[^1],
            StepMilliseconds = [.. observed.Batches[^1].Last.Timings.Steps.Select(step => Math.Round(step.TotalMilliseconds, 3))],
            ManagedBytesPerStep = denoisingBytes / steps.Length,
            BudgetBytes = options.DeclaredBudget?.Bytes,
            PlannedBytes = memory.Max(picture => picture.Phases.Max(phase => phase.PlannedBytes)),
            Offload = memory[0].Plan.Offload,
            PeakDeviceBytes = memory.Max(picture => picture.PeakBytes),
            ArenaUsedBytes = memory.Max(picture => picture.ArenaUsedBytes),
            ArenaHeldBytes = memory.Max(picture => picture.ArenaHeldBytes),
            Phases = [.. memory.SelectMany(picture => picture.Phases).GroupBy(phase => phase.Phase).Select(Largest)],
            PeakHostBytes = process.PeakWorkingSet64,
        };
    }

    private static PhaseMemory Largest(IGrouping<PlanPhase, PhaseMemory> phases) => new(
        phases.Key,
        phases.Max(phase => phase.PlannedBytes),
        phases.Max(phase => phase.PeakBytes),
        phases.Max(phase => phase.ArenaHeldBytes));

    // Median milliseconds of post-processing without the frame. The first picture does not count.
    private static async Task<double> PlainPostProcessingAsync(
        Atelier atelier, PictureRequest request, int pictures, CancellationToken stop)
    {
        List<double> postProcessing = [];
        for (int i = 0; i <= pictures; i++)
        {
            using Picture picture = await atelier.GenerateAsync(request, cancellationToken: stop);
            postProcessing.Add(picture.Timings.PostProcessing.TotalMilliseconds);
        }

        return Median(postProcessing.Skip(1));
    }

    private static async Task<Batch> PaintAsync(Atelier atelier, PictureRequest request, int batchSize, CancellationToken stop)
    {
        long begin = Stopwatch.GetTimestamp();
        List<Picture> pictures = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(request, batchSize, batchSize, cancellationToken: stop))
            pictures.Add(picture);
        return new Batch(pictures, Stopwatch.GetElapsedTime(begin).TotalSeconds / batchSize);
    }

    // Seconds that writing the file took.
    private static double WriteFile(Picture picture, string file)
    {
        long begin = Stopwatch.GetTimestamp();
        PictureFile.Write(picture, file, new PictureFileOptions { Overwrite = true });
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The pictures of one batch.</summary>
    /// <param name="Pictures">The pictures. Their steps ran together, but each was decoded by itself.</param>
    /// <param name="Seconds">Time of the batch divided by its pictures.</param>
    private sealed record Batch(IReadOnlyList<Picture> Pictures, double Seconds)
    {
        public Picture Last => Pictures[^1];

        /// <summary>Gives the memory of the pixels back. Timings and memory stay readable.</summary>
        public void ReleasePixels()
        {
            foreach (Picture picture in Pictures) picture.Dispose();
        }
    }

    /// <summary>The measurements of the run.</summary>
    /// <param name="First">The batch that does not count.</param>
    /// <param name="Batches">The batches that count.</param>
    /// <param name="FileSeconds">Seconds of each counted file.</param>
    /// <param name="KnownSeconds">Seconds of a picture whose prompt was encoded before.</param>
    /// <param name="PlainPostProcessingMilliseconds">Median of post-processing without the frame; null without a frame.</param>
    private sealed record Observations(
        Batch First,
        IReadOnlyList<Batch> Batches,
        IReadOnlyList<double> FileSeconds,
        double KnownSeconds,
        double? PlainPostProcessingMilliseconds)
    {
        // Every picture of a batch reports the same steps, so each batch is counted once.
        public double[] StepMilliseconds() =>
            [.. Batches.SelectMany(batch => batch.Last.Timings.Steps).Select(step => step.TotalMilliseconds).Order()];

        public double MedianSeconds(Func<PictureTimings, TimeSpan> part) =>
            Median(Batches.SelectMany(batch => batch.Pictures).Select(picture => part(picture.Timings).TotalSeconds));

        public PictureMemory[] Memory() =>
            [.. Batches.Prepend(First).SelectMany(batch => batch.Pictures).Select(picture => picture.Memory!)];
    }

    /// <summary>Seconds from the process's start to three points of the run.</summary>
    /// <param name="OpenSeconds">The model is open.</param>
    /// <param name="PictureSeconds">The first picture's bytes exist.</param>
    /// <param name="FileSeconds">The first picture's file exists.</param>
    private readonly record struct Milestones(double OpenSeconds, double PictureSeconds, double FileSeconds);
}
