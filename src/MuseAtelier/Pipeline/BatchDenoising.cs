using System.Diagnostics;
using MuseAtelier.Diffusion;
using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>The denoising of one batch: runs and measures the steps, and holds the latents until it is disposed.</summary>
internal sealed class BatchDenoising : IDisposable
{
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly PictureBatch _batch;
    private readonly PreviewGrid? _previews;
    private readonly DenoisingLoop _loop;
    private readonly TimeSpan[] _steps;

    /// <summary>Draws the initial noise.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="denoiser">The denoiser, prepared for the batch; borrowed.</param>
    /// <param name="hasPreviews">Whether progress reports carry previews.</param>
    /// <param name="device">The device that runs; borrowed.</param>
    public BatchDenoising(PictureBatch batch, Denoiser denoiser, bool hasPreviews, ExecutionDevice device)
    {
        _batch = batch;
        _steps = new TimeSpan[batch.Request.Steps];
        _previews = hasPreviews ? new PreviewGrid(batch.Count, batch.LatentHeight, batch.LatentWidth) : null;
        _loop = new DenoisingLoop(batch.Requests, batch.Slot, denoiser, batch.Schedule, _previews, device);
    }

    /// <summary>The time of each step.</summary>
    public IReadOnlyList<TimeSpan> Steps => _steps;

    /// <summary>Managed bytes that the steps allocated on their thread.</summary>
    public long ManagedBytes { get; private set; }

    /// <summary>The time of all steps and of the initial noise.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Runs all steps.</summary>
    /// <param name="run">The options of the runs.</param>
    public void Run(RunScope run)
    {
        for (int step = 0; step < _steps.Length; step++)
        {
            long stepBegin = Stopwatch.GetTimestamp();
            long before = GC.GetAllocatedBytesForCurrentThread();
            run.Token.ThrowIfCancellationRequested();
            _loop.Step(step, run.Options, run.Token);
            ManagedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            _steps[step] = Stopwatch.GetElapsedTime(stepBegin);
            _batch.Report(GenerationPhase.Denoising, step + 1, _previews?.Preview);
        }

        if (PredictionResemblance.Notice(_loop.FirstResemblance) is { } unlike) _batch.Notices.Add(unlike);
        Duration = Stopwatch.GetElapsedTime(_begin);
    }

    /// <summary>A copy of a picture's latents: [4, h, w] fp32, in the scale of the UNet.</summary>
    public float[] Latents(int picture) => _loop.Latents(picture).ToArray();

    /// <summary>Digests of a picture's start and of its steps.</summary>
    public IReadOnlyList<StepHash> Hashes(int picture) => _loop.Hashes(picture);

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();
}
