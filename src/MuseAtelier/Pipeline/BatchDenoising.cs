using System.Diagnostics;
using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Diagnostics;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>The denoising of one batch: runs the loop, and holds the latents until it is disposed.</summary>
internal sealed class BatchDenoising : IDisposable
{
    private const int LatentChannels = 4;

    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly PictureBatch _batch;
    private readonly AtelierMetrics _metrics;
    private readonly PreviewGrid? _previews;
    private readonly DenoisingLoop _loop;

    /// <summary>Draws the initial noise, and writes the latents at which denoising begins.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="denoiser">The denoiser, prepared for the batch; borrowed.</param>
    /// <param name="previews">The least time between two previews; null means none.</param>
    /// <param name="device">The device that runs; borrowed.</param>
    /// <param name="metrics">Receives the time of each evaluation; borrowed.</param>
    public BatchDenoising(PictureBatch batch, Denoiser denoiser, TimeSpan? previews, ExecutionDevice device, AtelierMetrics metrics)
    {
        _batch = batch;
        _metrics = metrics;
        _previews = previews is { } interval && batch.HasProgress
            ? new PreviewGrid(batch.Count, batch.LatentHeight, batch.LatentWidth, batch.LatentFormat, batch.LatentColours, interval)
            : null;
        int length = LatentChannels * batch.LatentHeight * batch.LatentWidth;
        DenoisingInputs inputs = batch.Source?.InputsOf(batch.Request, length) ?? DenoisingInputs.FromNoise;
        _loop = new DenoisingLoop(batch.Recipe, batch.Noise, batch.Slot, denoiser, inputs, _previews, device.AllocateHost);
    }

    /// <summary>The time of each evaluation.</summary>
    public IReadOnlyList<TimeSpan> Steps => _loop.Clock.Times;

    /// <summary>Managed bytes that the evaluations allocated on their thread.</summary>
    public long ManagedBytes => _loop.Clock.ManagedBytes;

    /// <summary>The time of all evaluations and of the initial noise.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Runs all evaluations.</summary>
    /// <param name="run">The options of the runs.</param>
    public void Run(RunScope run)
    {
        _loop.Run(run.Options, EndStep, run.Token);
        if (PredictionResemblance.Notice(_loop.FirstResemblance) is { } unlike) _batch.Notices.Add(unlike);
        Duration = Stopwatch.GetElapsedTime(_begin);
    }

    /// <summary>A copy of a picture's latents: [4, h, w] fp32, in the scale of the UNet. The caller disposes it.</summary>
    public MemoryOwner<float> Latents(int picture)
    {
        ReadOnlySpan<float> latents = _loop.Latents(picture);
        var copy = MemoryOwner<float>.Allocate(latents.Length);
        latents.CopyTo(copy.Span);
        return copy;
    }

    /// <summary>Digests of a picture's start and of its evaluations.</summary>
    public IReadOnlyList<StepHash> Hashes(int picture) => _loop.Hashes(picture);

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();

    // Called after each evaluation. Allocates nothing managed unless there are previews, whose pixels are the receiver's.
    private void EndStep(int finished)
    {
        _metrics.StepEnded(_loop.Clock.Times[finished - 1]);
        _batch.Report(GenerationPhase.Denoising, finished, _previews is { IsFresh: true } ? _previews.Capture() : null);
    }
}
