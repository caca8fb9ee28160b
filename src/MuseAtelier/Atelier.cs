using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using MuseAtelier.Format;
using MuseAtelier.Pipeline;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier;

/// <summary>
/// A loaded model that paints pictures, one batch after the other, on a thread of its own. Members may be called from any thread.
/// </summary>
public sealed class Atelier : IAtelier
{
    private readonly EngineThread _thread;
    private readonly PictureEngine _engine;
    private readonly AtelierOptions _options;

    private Atelier(EngineThread thread, PictureEngine engine, AtelierOptions options) =>
        (_thread, _engine, _options) = (thread, engine, options);

    /// <summary>The model that paints.</summary>
    public ModelInfo Model => _engine.Model;

    /// <summary>The device that the model runs on, in words.</summary>
    public string Device => _engine.Device;

    /// <summary>The version of ONNX Runtime.</summary>
    public string RuntimeVersion => _engine.RuntimeVersion;

    /// <inheritdoc/>
    public AtelierStatus Status => new()
    {
        QueueLength = _thread.QueueLength,
        QueueCapacity = _options.QueueCapacity,
        IsPainting = false,
        AcceptsRequests = true,
        BudgetBytes = _options.BudgetBytes(),
    };

    /// <summary>Opens a package's folder, or a checkpoint, which is exported once into the cache.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">The settings of the atelier.</param>
    /// <param name="progress">Receives reports on another thread.</param>
    /// <param name="cancellationToken">Stops an export within a few MiB and leaves nothing behind.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="MuseAtelierException">
    /// The model cannot be used; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static async Task<Atelier> OpenAsync(
        string model, AtelierOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        var thread = new EngineThread("MuseAtelier");
        try
        {
            PictureEngine engine = await thread.RunAsync(Open, cancellationToken).ConfigureAwait(false);
            return new Atelier(thread, engine, options);
        }
        catch
        {
            await thread.EndAsync(drains: false).ConfigureAwait(false);
            throw;
        }

        PictureEngine Open(CancellationToken stopping)
        {
            PictureEngine engine = PictureEngine.Open(model, options, progress, stopping);
            // The thread must be able to dispose of the engine from here on, because the process may exit before the caller has the
            // atelier.
            thread.AtEnd(engine.Dispose);
            return engine;
        }
    }

    /// <summary>
    /// Plans a picture from the model's sizes alone, before the model is opened. Exports and loads nothing, and needs no device.
    /// </summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">
    /// The settings of the atelier. If they declare no budget for a card, the plan takes <see cref="ResidencyRequest.DefaultBudget"/>.
    /// </param>
    /// <param name="request">The picture.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    /// <exception cref="MuseAtelierException">
    /// The model cannot be used, or the request is out of range; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        RequestRules.Check(request, options.Catalogs.Names);
        return PlanForecast.Of(model, options, request);
    }

    /// <inheritdoc/>
    public async Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        BatchSlot place = options.Place ?? BatchSlot.Alone;
        if (options.BatchSize is not null)
            throw new ArgumentException("A single picture has a place in a batch, not a batch size.", nameof(options));
        RequestRules.Check(request, _engine.Catalogs.Names);
        RequestRules.Check(place);
        Picture? painted = null;
        PictureSeries series = PictureSeries.At(request, place);
        Check(series);
        await PaintBatchAsync(series, 0, picture => painted = picture, options.Progress, cancellationToken).ConfigureAwait(false);
        return painted!;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        options ??= new GenerationOptions();
        if (options.Place is not null)
            throw new ArgumentException("Several pictures have a batch size, not a place in a batch.", nameof(options));
        if (options.BatchSize is { } declared)
        {
            int legal = Math.Clamp(declared, 1, BatchSlot.LargestBatch);
            ArgumentOutOfRangeException.ThrowIfNotEqual(declared, legal, nameof(GenerationOptions.BatchSize));
        }

        RequestRules.Check(request, _engine.Catalogs.Names);
        int? most = options.BatchSize is { } size ? Math.Min(size, count) : null;
        var series = new PictureSeries(request, count, most);
        Check(series);
        return PaintManyAsync(series, options.Progress, cancellationToken);
    }

    /// <inheritdoc/>
    public Task DrainAsync() => _thread.EndAsync(drains: true);

    /// <summary>
    /// Stops the picture that is being painted within a step, cancels the requests that wait, and releases everything. Their tasks end
    /// cancelled (<see cref="OperationCanceledException"/>); later requests are refused with <see cref="ObjectDisposedException"/>. When
    /// the returned task completes, the atelier's thread has ended. Use <see cref="DrainAsync"/> to finish the pictures instead. A
    /// progress sink must not wait for it, because the sink runs on the thread that has to end.
    /// </summary>
    public async ValueTask DisposeAsync() => await _thread.EndAsync(drains: false).ConfigureAwait(false);

    /// <summary>Like <see cref="DisposeAsync"/>, and blocks until the atelier's thread has ended.</summary>
    public void Dispose() => _thread.EndAsync(drains: false).GetAwaiter().GetResult();

    // What depends on the model or on the content of the prompts is found before the request waits, too.
    private void Check(PictureSeries series)
    {
        ClipSkipException.ThrowIfBeyond(series.Request.ClipSkip, _engine.MostClipSkip);
        _ = series.Prompts;
    }

    // Each batch is a request of its own, so that other requests can run between two batches.
    private async IAsyncEnumerable<Picture> PaintManyAsync(
        PictureSeries series, IProgress<GenerationProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (int done = 0; done < series.Count;)
        {
            var options = new UnboundedChannelOptions { SingleReader = true, SingleWriter = true };
            Channel<Picture> painted = Channel.CreateUnbounded<Picture>(options);
            Task batch = PaintBatchAsync(series, done, picture => painted.Writer.TryWrite(picture), progress, leaving.Token);
            // The continuation completes the channel even if the batch never begins.
            _ = batch.ContinueWith(
                _ => painted.Writer.TryComplete(),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            try
            {
                await foreach (Picture picture in painted.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    done++;
                    yield return picture;
                }

                if (batch.IsCanceled) cancellationToken.ThrowIfCancellationRequested();
                await batch.ConfigureAwait(false);
            }
            finally
            {
                // A caller that breaks out of the loop cancels the batch, and waits until the engine is idle.
                if (!batch.IsCompleted) await leaving.CancelAsync().ConfigureAwait(false);
                await batch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task PaintBatchAsync(
        PictureSeries series, int first, Action<Picture> deliver, IProgress<GenerationProgress>? progress,
        CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        int evaluations = _engine.Catalogs.EvaluationsOf(series.Request);
        progress?.Report(new GenerationProgress { Phase = GenerationPhase.Queued, Steps = evaluations, Picture = first });
        await _thread.RunAsync(
            stopping =>
            {
                _engine.Paint(series, first, deliver, progress, start, stopping);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }
}
