using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>A loaded model that paints pictures, one pass after the other, on a thread of its own. Members may be called from any thread.</summary>
public sealed class Atelier : IAsyncDisposable
{
    private readonly EngineThread _thread;
    private readonly PictureEngine _engine;

    private Atelier(EngineThread thread, PictureEngine engine) => (_thread, _engine) = (thread, engine);

    /// <summary>The model that paints.</summary>
    public ModelInfo Model => _engine.Model;

    /// <summary>The device that it runs on, in words.</summary>
    public string Device => _engine.Device;

    /// <summary>Version of the ONNX Runtime that runs it.</summary>
    public string RuntimeVersion => _engine.RuntimeVersion;

    /// <summary>Opens a package's folder, or a checkpoint, which is exported once into the cache.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">Where it runs and how.</param>
    /// <param name="progress">Told on another thread.</param>
    /// <param name="cancellationToken">Stops an export within a few MiB and leaves nothing behind.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="MuseAtelierException">The model cannot be used; the exception's type and message say why and what to do.</exception>
    public static async Task<Atelier> OpenAsync(string model, AtelierOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        var thread = new EngineThread("MuseAtelier");
        try
        {
            // The thread knows how to dispose of the engine as soon as there is one: also when the process exits before the caller has it.
            PictureEngine engine = await thread.RunAsync(Open, cancellationToken).ConfigureAwait(false);
            return new Atelier(thread, engine);
        }
        catch
        {
            await thread.EndAsync(drains: false).ConfigureAwait(false);
            throw;
        }

        PictureEngine Open(CancellationToken stopping)
        {
            PictureEngine engine = PictureEngine.Open(model, options, progress, stopping);
            thread.AtEnd(engine.Dispose);
            return engine;
        }
    }

    /// <summary>Plans a picture from the model's sizes alone, before it is opened: exports and loads nothing, and needs no device.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">Where it is to run and how; without a budget for a card, <see cref="ResidencyRequest.DefaultBudget"/>.</param>
    /// <param name="request">What is to be painted.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    /// <exception cref="MuseAtelierException">The model cannot be used, or the request is out of range; the exception's type and message say why and what to do.</exception>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        RequestRules.Check(request);
        return PictureEngine.Plan(model, options, request);
    }

    /// <summary>Paints one picture by itself; pictures asked for meanwhile wait their turn.</summary>
    /// <param name="request">What to paint.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="BudgetTooSmallException">It cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<Picture> GenerateAsync(PictureRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        GenerateAsync(request, BatchSlot.Alone, progress, cancellationToken);

    /// <summary>
    /// Paints one picture with the very numbers that it has as one of several (<see cref="PictureProvenance.Pass"/>): for painting it again, byte by byte.
    /// It takes as long and as much memory as that whole pass.
    /// </summary>
    /// <param name="request">What to paint.</param>
    /// <param name="place">The picture's place in its pass.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="BudgetTooSmallException">It cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<Picture> GenerateAsync(PictureRequest request, BatchSlot place, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        RequestRules.Check(request);
        RequestRules.Check(place);
        Picture? painted = null;
        await PaintPassAsync(PictureSeries.At(request, place), 0, picture => painted = picture, progress, cancellationToken).ConfigureAwait(false);
        return painted!;
    }

    /// <summary>
    /// Paints one picture for each of the following seeds, in order, several at a time where that is faster within the budget. Each comes as soon as it
    /// is decoded; to stop asking stops the painting. To the eye a picture is the one that its seed gives by itself; its last bits may be others.
    /// </summary>
    /// <param name="request">What to paint; its seed is the first.</param>
    /// <param name="count">How many pictures.</param>
    /// <param name="batchSize">How many are denoised together, 1 to <see cref="BatchSlot.LargestBatch"/>, or what is left of them; null takes what is fastest. With 1, every picture is bit by bit the one that its seed gives by itself.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="BudgetTooSmallException">So many cannot be painted together within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, int? batchSize = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (batchSize is { } together) ArgumentOutOfRangeException.ThrowIfNotEqual(together, Math.Clamp(together, 1, BatchSlot.LargestBatch), nameof(batchSize));
        RequestRules.Check(request);
        return PaintManyAsync(new PictureSeries(request, count, batchSize is { } most ? Math.Min(most, count) : null), progress, cancellationToken);
    }

    /// <summary>
    /// Waits for all pictures that were asked for, then gives everything back. Requests that come later are refused with
    /// <see cref="ObjectDisposedException"/>. Disposing meanwhile aborts the pictures that are left.
    /// </summary>
    public Task DrainAsync() => _thread.EndAsync(drains: true);

    /// <summary>
    /// Stops the picture that is being painted within a step, cancels the requests that wait, and gives everything back. Their tasks end cancelled
    /// (<see cref="OperationCanceledException"/>); requests that come later are refused with <see cref="ObjectDisposedException"/>. When it has
    /// returned, the atelier's thread has ended. Use <see cref="DrainAsync"/> to finish them instead. Not to be waited for by a progress sink.
    /// </summary>
    public async ValueTask DisposeAsync() => await _thread.EndAsync(drains: false).ConfigureAwait(false);

    // A pass a turn: between two of them, others get theirs.
    private async IAsyncEnumerable<Picture> PaintManyAsync(PictureSeries series, IProgress<GenerationProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (int done = 0; done < series.Count;)
        {
            Channel<Picture> painted = Channel.CreateUnbounded<Picture>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
            Task pass = PaintPassAsync(series, done, picture => painted.Writer.TryWrite(picture), progress, leaving.Token);
            // Also where the pass never begins.
            _ = pass.ContinueWith(_ => painted.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            try
            {
                await foreach (Picture picture in painted.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    done++;
                    yield return picture;
                }

                if (pass.IsCanceled) cancellationToken.ThrowIfCancellationRequested();
                await pass.ConfigureAwait(false);
            }
            finally
            {
                // Whoever stops asking stops what is under way, and finds the engine at rest.
                if (!pass.IsCompleted) await leaving.CancelAsync().ConfigureAwait(false);
                await pass.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task PaintPassAsync(PictureSeries series, int first, Action<Picture> deliver, IProgress<GenerationProgress>? progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        progress?.Report(new GenerationProgress(GenerationPhase.Queued, 0, series.Request.Steps, TimeSpan.Zero, null, first));
        await _thread.RunAsync(
            stopping =>
            {
                _engine.Paint(series, first, deliver, progress, start, stopping);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }
}
