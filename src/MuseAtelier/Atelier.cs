using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using MuseAtelier.Adapters;
using MuseAtelier.Diagnostics;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
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
    private readonly LoraFolder _loras;
    private readonly EmbeddingFolder _embeddings;
    private bool _isEnding;

    private Atelier(EngineThread thread, PictureEngine engine, AtelierOptions options, EmbeddingFolder embeddings)
    {
        (_thread, _engine, _options, _embeddings) = (thread, engine, options, embeddings);
        _loras = new LoraFolder(options.LoraFolders);
    }

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
        IsPainting = _thread.IsServing,
        AcceptsRequests = _thread.IsOpen,
        BudgetBytes = _engine.BudgetBytes,
        HeldBytes = _engine.HeldBytes,
    };

    private bool Drains => _options.Disposal == DisposalMode.Drain;

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
        var embeddings = new EmbeddingFolder(options.EmbeddingFolders);
        long start = Stopwatch.GetTimestamp();
        var thread = new EngineThread("MuseAtelier", options.QueueCapacity);
        try
        {
            PictureEngine engine = await thread.RunAsync(Open, cancellationToken).ConfigureAwait(false);
            AtelierDiagnostics diagnostics = engine.Diagnostics;
            AtelierLog.Opened(
                diagnostics.Logger, diagnostics.Name, engine.Model.Name, engine.Device, ByteSize.Format(engine.BudgetBytes),
                Stopwatch.GetElapsedTime(start).TotalSeconds);
            return new Atelier(thread, engine, options, embeddings);
        }
        catch
        {
            await thread.EndAsync(drains: false).ConfigureAwait(false);
            throw;
        }

        PictureEngine Open(CancellationToken stopping)
        {
            PictureEngine engine = PictureEngine.Open(model, options, progress, stopping);
            AtelierDiagnostics diagnostics = engine.Diagnostics;
            diagnostics.Metrics.Observe(() => new ObservedState(thread.QueueLength, engine.BudgetBytes, engine.HeldBytes));
            // The thread must be able to dispose of the engine from here on, because the process may exit before the caller has the
            // atelier.
            thread.AtEnd(() =>
            {
                engine.Dispose();
                AtelierLog.Disposed(diagnostics.Logger, diagnostics.Name);
            });
            return engine;
        }
    }

    /// <summary>
    /// Plans a picture from the model's sizes alone, before the model is opened. Exports and loads nothing, and needs no device. The plan
    /// of a picture with a second pass has that of the second pass in <see cref="ResidencyPlan.SecondPass"/>.
    /// </summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">
    /// The settings of the atelier. If they declare no budget for a card, the plan takes <see cref="MemoryBudget.DeviceDefault"/>.
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
        request = LoraPrompts.Resolve(request, options.LoraFolders).Request;
        RequestRules.Check(request, options.Catalogs.Names);
        HiresRules.CheckFile(request);
        return PlanForecast.Of(model, options, request);
    }

    /// <inheritdoc/>
    public async Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GenerationOptions();
        GenerationRules.CheckSingle(options);
        ResolvedLoras resolved = LoraPrompts.Resolve(request, _loras);
        RequestRules.Check(resolved.Request, _engine.Catalogs.Names);
        Picture? painted = null;
        PictureSeries series = PictureSeries.At(resolved.Request, options.Place ?? BatchSlot.Alone) with
        {
            Embeddings = _embeddings,
            Notices = resolved.Notices,
        };
        Check(series);
        try
        {
            await PaintBatchAsync(series, 0, picture => painted = picture, options, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            painted?.Dispose();
            throw;
        }

        return painted!;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        options ??= new GenerationOptions();
        GenerationRules.CheckSeries(options);
        ResolvedLoras resolved = LoraPrompts.Resolve(request, _loras);
        RequestRules.Check(resolved.Request, _engine.Catalogs.Names);
        int? most = options.BatchSize is { } size ? Math.Min(size, count) : null;
        var series = new PictureSeries(resolved.Request, count, most) { Embeddings = _embeddings, Notices = resolved.Notices };
        Check(series);
        return PaintManyAsync(series, options, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task DrainAsync()
    {
        try
        {
            SayEnding(drains: true);
        }
        finally
        {
            await _thread.EndAsync(drains: true).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ends the atelier as <see cref="AtelierOptions.Disposal"/> says and releases everything. With <see cref="DisposalMode.Abort"/> the
    /// picture that is being painted stops within a step, and the requests that wait are cancelled: their tasks end with
    /// <see cref="OperationCanceledException"/>. With <see cref="DisposalMode.Drain"/> all of them are finished first. Later requests are
    /// refused with <see cref="ObjectDisposedException"/>. When the returned task completes, the atelier's thread has ended. A progress
    /// sink must not wait for it, because the sink runs on the thread that has to end. May be called more than once, and while
    /// <see cref="DrainAsync"/> runs.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            SayEnding(Drains);
        }
        finally
        {
            await _thread.EndAsync(Drains).ConfigureAwait(false);
        }
    }

    /// <summary>Like <see cref="DisposeAsync"/>, and blocks until the atelier's thread has ended.</summary>
    /// <exception cref="InvalidOperationException">A progress sink called it, on the thread that has to end.</exception>
    public void Dispose()
    {
        _thread.ThrowIfCurrent();
        try
        {
            SayEnding(Drains);
        }
        finally
        {
            _thread.End(Drains);
        }
    }

    // A logger may throw. The atelier must end all the same.
    private void SayEnding(bool drains)
    {
        if (Interlocked.Exchange(ref _isEnding, true)) return;
        AtelierLog.Disposing(_engine.Diagnostics.Logger, _engine.Diagnostics.Name, _thread.QueueLength, drains);
    }

    // What depends on the model or on the content of the prompts is found before the request waits, too.
    private void Check(PictureSeries series)
    {
        HiresRules.CheckFile(series.Request);
        _engine.Check(series);
        _engine.Check(series.Prompts.Embeddings);
        if (series.Request.Hires is not null) _engine.Check(HiresSeries.Of(series).Second.Prompts.Embeddings);
    }

    // Each batch is a request of its own, so that other requests can run between two batches.
    private async IAsyncEnumerable<Picture> PaintManyAsync(
        PictureSeries series, GenerationOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (int done = 0; done < series.Count;)
        {
            var pipe = new UnboundedChannelOptions { SingleReader = true, SingleWriter = true };
            Channel<Picture> painted = Channel.CreateUnbounded<Picture>(pipe);
            Task batch = PaintBatchAsync(series, done, picture => painted.Writer.TryWrite(picture), options, leaving.Token);
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
                // Nobody receives the pictures that the caller has not taken.
                while (painted.Reader.TryRead(out Picture? untaken)) untaken.Dispose();
            }
        }
    }

    private async Task PaintBatchAsync(
        PictureSeries series, int first, Action<Picture> deliver, GenerationOptions options, CancellationToken cancellationToken)
    {
        using var trace = new RequestTrace(_engine.Diagnostics, series.Request, first, options.Priority);
        try
        {
            await _thread.RunAsync(Paint, TermsOf(series, first, options, trace.Start), cancellationToken).ConfigureAwait(false);
        }
        catch (QueueFullException exception)
        {
            trace.Reject(exception);
            throw;
        }
        catch (OperationCanceledException exception)
        {
            trace.Cancel(exception);
            throw;
        }
        catch (Exception exception) when (exception is not ObjectDisposedException || _thread.IsOpen)
        {
            trace.Fail(exception);
            throw;
        }

        bool Paint(CancellationToken stopping)
        {
            trace.EndWait();
            _engine.Paint(series, first, deliver, options.Progress, trace.Start, stopping);
            return true;
        }
    }

    private QueueTerms TermsOf(PictureSeries series, int first, GenerationOptions options, long start)
    {
        // The series was accepted with its first batch.
        var terms = new QueueTerms { Priority = options.Priority, MayExceedCapacity = first > 0 };
        if (options.Progress is not { } progress) return terms;
        var report = new GenerationProgress
        {
            Phase = GenerationPhase.Queued,
            Steps = _engine.Catalogs.EvaluationsOf(series.Request),
            Picture = first,
        };
        return terms with
        {
            Moved = position => progress.Report(report with { QueuePosition = position, Elapsed = Stopwatch.GetElapsedTime(start) }),
        };
    }
}
