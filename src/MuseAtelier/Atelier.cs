using System.Diagnostics;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>A loaded model that paints pictures, one at a time, on a thread of its own. Members may be called from any thread.</summary>
public sealed class Atelier : IAsyncDisposable
{
    private readonly EngineThread _thread;
    private readonly PictureEngine _engine;
    private int _disposed;

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
    /// <exception cref="MuseAtelierException">The model cannot be used; the exception's type and message say why and what to do.</exception>
    public static async Task<Atelier> OpenAsync(string model, AtelierOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        ArgumentNullException.ThrowIfNull(options);
        var thread = new EngineThread("MuseAtelier");
        try
        {
            PictureEngine engine = await thread.RunAsync(() => PictureEngine.Open(model, options, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
            return new Atelier(thread, engine);
        }
        catch
        {
            await thread.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Plans a picture from the model's sizes alone, before it is opened: exports and loads nothing, and needs no device.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="options">Where it is to run and how; without a budget for a card, <see cref="ResidencyRequest.DefaultBudget"/>.</param>
    /// <param name="request">What is to be painted.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    /// <exception cref="MuseAtelierException">The model cannot be used, or the request is out of range; the exception's type and message say why and what to do.</exception>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(request);
        RequestRules.Check(request);
        return PictureEngine.Plan(model, options, request);
    }

    /// <summary>Paints one picture; pictures asked for meanwhile wait their turn.</summary>
    /// <param name="request">What to paint.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<Picture> GenerateAsync(PictureRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        RequestRules.Check(request);
        long start = Stopwatch.GetTimestamp();
        progress?.Report(new GenerationProgress(GenerationPhase.Queued, 0, request.Steps, TimeSpan.Zero, null));
        return _thread.RunAsync(() => _engine.Paint(request, progress, start, cancellationToken), cancellationToken);
    }

    /// <summary>Paints one picture for each of the following seeds, in order.</summary>
    /// <param name="request">What to paint; its seed is the first.</param>
    /// <param name="count">How many pictures.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public async IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, IProgress<GenerationProgress>? progress = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        for (int i = 0; i < count; i++)
            yield return await GenerateAsync(request with { Seed = unchecked(request.Seed + (ulong)i) }, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for the pictures that were asked for, then gives everything back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _thread.RunAsync(() => { _engine.Dispose(); return true; }, CancellationToken.None).ConfigureAwait(false);
        await _thread.DisposeAsync().ConfigureAwait(false);
    }
}
