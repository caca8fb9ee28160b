using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Diagnostics;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>
/// An opened model on an opened device. Puts the parts of the pipeline together, owns them, and admits one call at a time to the device.
/// All members run on the engine's thread.
/// </summary>
internal sealed class PictureEngine : IDisposable
{
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly LoadedParts _parts;
    private readonly LoraSwitch _loras;
    private readonly BatchPlanner _planner;
    private readonly ModelSampling _sampling;
    private readonly PassPainter _passes;
    private readonly HiresPainter _hires;
    private readonly PassEnlarger _enlarger;
    private readonly DeviceMemoryWatch? _watch;
    private readonly PhaseMeter _meter;
    private readonly string[] _standingNotices;

    private PictureEngine(ModelPackage package, ExecutionDevice device, AtelierOptions options)
    {
        _package = package;
        _device = device;
        _parts = new LoadedParts(package, device);
        _sampling = new ModelSampling(package.Manifest.Model, options.Catalogs);
        _standingNotices = [.. IgnoredBudgetNotices(options), .. device.Notices];

        DeviceProfile profile = options.Backend.Profile.WithContext(device.ContextBytes).WithBaseline(device.BaselineBytes);
        var assembler = new PictureAssembler(package, device, _parts.Sessions, options.WatchMemory);
        Model = assembler.Model;
        Diagnostics = new AtelierDiagnostics(
            options.Name ?? Model.Name, KindOf(options.Backend), options.LoggerFactory, options.MeterFactory);
        _loras = new LoraSwitch(package, _parts, Diagnostics);
        var plans = new PlanApplier(_parts, Diagnostics);
        _planner = new BatchPlanner(ModelSizes.Of(package.Manifest), profile, options, device, _parts.Sessions, plans);

        // The thread of the watch would never end if a later statement of the constructor failed. No later statement can.
        _watch = options.WatchMemory ? new DeviceMemoryWatch(device, options.WatchInterval) : null;
        _meter = new PhaseMeter(_watch);
        var decoding = new BatchDecoding(_parts.Decoder, _meter, assembler, Diagnostics);
        var sources = new SourceEncoder(package, new VaeEncoder(package, _parts.Sessions, device), device);
        var encoding = new BatchEncoding(new PromptRows(_parts.Prompts), _parts.Denoisers, sources, _meter, Diagnostics.Metrics);
        TimeSpan? previews = options.Previews ? options.PreviewInterval : null;
        var pipeline = new PicturePipeline(encoding, _parts.Denoisers, decoding, _meter, device, previews, Diagnostics.Metrics);
        _passes = new PassPainter(new MemoryRetry(pipeline, plans, _planner, _loras, Diagnostics), _meter, _sampling);
        _enlarger = new PassEnlarger(device, options, plans);
        _hires = new HiresPainter(_passes, _enlarger, _planner, _sampling, Diagnostics);
    }

    /// <summary>The model that paints.</summary>
    public ModelInfo Model { get; }

    /// <summary>The log and the metrics. Thread-safe.</summary>
    public AtelierDiagnostics Diagnostics { get; }

    /// <summary>The budget in bytes, of the memory that counts for the device. Thread-safe.</summary>
    public long BudgetBytes => _planner.BudgetBytes;

    /// <summary>Bytes that the process held of that memory in the last sample; null if it is not watched. Thread-safe.</summary>
    public long? HeldBytes => _watch?.LastBytes;

    // An inpainting model sees a masked picture even where it paints from noise alone.
    private bool AlwaysEncodes => _package.Manifest.Model.IsInpainting;

    /// <summary>The samplers and noise sources that requests can name.</summary>
    public SamplingCatalogs Catalogs => _sampling.Catalogs;

    /// <summary>The device in words.</summary>
    public string Device => _device.Description;

    /// <summary>The version of ONNX Runtime.</summary>
    public string RuntimeVersion { get; } = OrtEnv.Instance().GetVersionString();

    /// <summary>Opens a model, exports it first if it is a checkpoint, opens the device, and begins to load.</summary>
    /// <param name="model">Path of a package's folder or of a checkpoint.</param>
    /// <param name="options">The options of the atelier.</param>
    /// <param name="progress">Receives reports of the export.</param>
    /// <param name="cancellationToken">Stops the export, and the wait for the device.</param>
    public static PictureEngine Open(
        string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // Building the tokenizer takes a third of a second, most of it compilation. It starts here so that the first picture does not wait.
        _ = Task.Run(() => ClipTokenizer.Shared, CancellationToken.None);
        ModelPackage package = options.OpenPackage(model, progress, cancellationToken);
        ExecutionDevice? device = null;
        PictureEngine? engine = null;
        try
        {
            device = options.Backend.Open(package, options, cancellationToken);
            using DeviceLease lease = device.Enter(cancellationToken);
            engine = new PictureEngine(package, device, options);
            engine.Preload();
            return engine;
        }
        catch
        {
            if (engine is not null)
            {
                engine.Dispose();
            }
            else
            {
                device?.Dispose();
                package.Dispose();
            }

            throw;
        }
    }

    /// <summary>Checks what depends on the model or on files, before a request waits. Thread-safe.</summary>
    /// <param name="series">The series, which learns the bytes that its merged weights take in each pass.</param>
    /// <exception cref="ClipSkipException">The model's text encoders have fewer layers.</exception>
    /// <exception cref="ModelPartMissingException">The picture needs the encoder, which the model has not.</exception>
    /// <exception cref="RequestLoraException">The file of a LoRA is missing, or has another digest.</exception>
    /// <exception cref="MuseAtelierException">A file is no LoRA for SDXL.</exception>
    public void Check(PictureSeries series)
    {
        PictureRequest request = series.Request;
        ClipSkipException.ThrowIfBeyond(request.ClipSkip, _package.Manifest.MostClipSkip);
        bool encodes = request.Source is not null || AlwaysEncodes;
        if (request.Hires is { } hires) encodes |= HiresSeries.KernelOf(hires.Upscaler) is null;
        if (encodes) VaeEncoder.Require(_package);
        series.MergedBytes = _loras.Check(request.Loras);
        series.SecondMergedBytes = request.Hires?.Loras is { } later ? _loras.Check(later) : series.MergedBytes;
    }

    /// <summary>Checks that embeddings have the widths of the model's text encoders, before a request waits.</summary>
    /// <exception cref="EmbeddingShapeException">An embedding has others.</exception>
    public void Check(IReadOnlyList<Embedding> embeddings)
    {
        ModelSpec model = _package.Manifest.Model;
        foreach (Embedding embedding in embeddings) embedding.RequireWidths(model.ClipLWidth, model.ClipGWidth);
    }

    /// <summary>Paints the next batch of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="first">Index of the first picture of the series that is not painted yet.</param>
    /// <param name="deliver">Receives each picture as soon as it is decoded.</param>
    /// <param name="progress">Receives a report of every step.</param>
    /// <param name="start">Timestamp of the request for the batch.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(
        PictureSeries series, int first, Action<Picture> deliver, IProgress<GenerationProgress>? progress, long start,
        CancellationToken cancellationToken)
    {
        _package.RequireUnchanged();
        using DeviceLease lease = _device.Enter(cancellationToken);
        var reports = new PassProgress(progress, start);
        _parts.Sessions.Stopping = cancellationToken;
        try
        {
            if (series.Request.Hires is not null)
            {
                _hires.Paint(series, first, deliver, reports, _standingNotices, cancellationToken);
                return;
            }

            List<string> notices = [.. _standingNotices];
            _passes.Paint(series, _planner.Apply(series, notices), first, deliver, reports, notices, cancellationToken);
        }
        finally
        {
            // After a cancellation, this releases the sessions and weights that were prefetched for steps that will not run. It waits for
            // the creation of sessions, which the token still has to end. The device must have finished its work before another engine is
            // admitted.
            _parts.Sessions.ReleaseIdle();
            _parts.ReleaseFailed();
            _loras.Forget();
            _parts.Sessions.Stopping = CancellationToken.None;
            _device.Settle();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Diagnostics.Dispose();
        using (_device.Enter(CancellationToken.None))
        {
            _enlarger.Dispose();
            _parts.Dispose();
            _loras.Dispose();
        }

        _watch?.Dispose();
        _device.Dispose();
        _package.Dispose();
    }

    private static string KindOf(Backend backend) => backend.Lowering == Lowering.Cuda ? "cuda" : "cpu";

    // The command line's automatic choice of a device may differ from the device that the budget was meant for.
    private static string[] IgnoredBudgetNotices(AtelierOptions options)
    {
        if (options.IgnoredBudget is null) return [];
        return options.CountedMemory == MemoryKind.Host
            ? ["A processor paints: the budget of video memory is without effect."]
            : ["A card paints: the budget of the processor's memory is without effect."];
    }

    // Loads the weights and sessions of a picture of the default size before the first request.
    private void Preload()
    {
        if (_device.LoadsAhead && _planner.ApplyDefault() is { } plan) _parts.Preload(plan);
    }
}
