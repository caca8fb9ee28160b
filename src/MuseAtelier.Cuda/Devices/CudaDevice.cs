using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cuda.Kernels;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// An NVIDIA card. All sessions run on one stream of the engine's own, and weights are copied on a second one. The host waits for them only
/// in <see cref="Synchronize"/>.
/// </summary>
internal sealed class CudaDevice : ExecutionDevice
{
    /// <summary>ONNX Runtime's optimization of the graphs, which are already fused when they are exported.</summary>
    private const GraphOptimizationLevel Optimization = GraphOptimizationLevel.ORT_ENABLE_ALL;

    private static int _engines;

    private readonly CudaOptions _options;
    private readonly ILogger _logger;
    private readonly OnnxLog _log;
    private readonly CardMemory _cardMemory;
    private readonly PinnedPool _pinned = new();
    private readonly WeightReader _reader;
    private readonly SharedArena _arena;
    private readonly Dictionary<string, string> _provider;
    private readonly bool _sharesThreads;
    private readonly CardResources _resources;
    private readonly StreamingBuffers _buffers;
    private readonly WeightStore _store;
    private readonly DeviceGate _gate;
    private readonly bool _isFirst = Interlocked.Increment(ref _engines) == 1;
    private bool _captureFailed;

    /// <summary>Opens a card.</summary>
    /// <param name="package">The package that will run; borrowed.</param>
    /// <param name="options">How the card is used.</param>
    /// <param name="card">The card.</param>
    /// <param name="loggers">Makes the log; null for no log.</param>
    /// <param name="cancellationToken">Ends the wait for a card that another engine uses.</param>
    public CudaDevice(
        ModelPackage package, CudaOptions options, CudaCard card, ILoggerFactory? loggers, CancellationToken cancellationToken)
    {
        (_options, Card) = (options, card);
        _gate = CardGates.Of(card.Index);
        using DeviceLease lease = Enter(cancellationToken);
        _logger = (ILogger?)loggers?.CreateLogger("MuseAtelier.Cuda") ?? NullLogger.Instance;
        _cardMemory = CardMemory.Of(card.Index);
        long? before = _cardMemory.ProcessBytes();
        _sharesThreads = OnnxEnvironment.Prepare(Environment.ProcessorCount, spins: true);
        CudaRuntime.Check(CudaRuntime.SetDevice(card.Index), nameof(CudaRuntime.SetDevice));
        DeviceStacks.Bound();
        OperatorDomain.Announce(ArenaTrimmer.SmallestGraph);
        _resources = new CardResources(card.Index, new CudaStream(), new CudaStream(), new DeviceUsage());
        ContextBytes = before == 0 ? _cardMemory.ProcessBytes() : null;
        BaselineBytes = SharedArena.HasHolders(card.Index) ? null : _cardMemory.ProcessBytes();
        _buffers = new StreamingBuffers(_resources);
        _store = new WeightStore(Allocate);
        var files = new WeightFiles(package.PathOf);
        _reader = new WeightReader(card.Index, _resources.Usage, options.ReaderThreads, files);
        _arena = new SharedArena(card.Index);
        Memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, card.Index, OrtMemType.Default);
        ArenaStatistics = new ArenaStatistics(Memory);
        _provider = new Dictionary<string, string>
        {
            ["device_id"] = card.Index.ToString(CultureInfo.InvariantCulture),
            // ONNX Runtime silently ignores user_compute_stream unless has_user_compute_stream is set.
            ["has_user_compute_stream"] = "1",
            ["user_compute_stream"] = ((ulong)_resources.Compute.Handle).ToString(CultureInfo.InvariantCulture),
            ["arena_extend_strategy"] = "kSameAsRequested",
        };
        _log = new OnnxLog(loggers);
    }

    /// <summary>The card.</summary>
    public CudaCard Card { get; }

    public override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"{Card.Name}, {Card.MemoryBytes / (double)(1L << 30):0.0} GiB");

    public override string Arena => string.Create(CultureInfo.InvariantCulture, $"gpu:{Card.Index}");

    public override OrtMemoryInfo Memory { get; }

    public override ArenaStatistics ArenaStatistics { get; }

    public override bool LoadsAhead => true;

    // A session has one cuDNN handle for the thread that runs it and a second one where another thread created it, and cuDNN 9.19 leaks
    // about 80 KiB of host memory for each handle that it destroys. So only the first engine of a process creates sessions on several
    // threads: it still has to load the code of all kernels.
    public override int SessionThreads => _isFirst ? _options.SessionThreads : 0;

    public override bool CapturesRuns => _options.CaptureSteps && !_captureFailed;

    public override SessionOptions CreateSessionOptions(SessionTraits traits)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = Optimization,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            LogId = _log.SessionId,
            EnableMemoryPattern = false,
        };
        // Sessions need no thread pool, because the card does the work.
        if (_sharesThreads) options.DisablePerSessionThreads();
        else options.IntraOpNumThreads = 1;
        options.AddSessionConfigEntry("session.use_env_allocators", traits.HasOwnArena ? "0" : "1");
        // Initializers must lie outside the arena, so that they are freed with their session and never lie among a captured run's
        // temporaries.
        options.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
        // The fallback to the CPU must be off, because a graph that needs it is an error of the exporter, which would be hidden.
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
        using var provider = new OrtCUDAProviderOptions();
        provider.UpdateOptions(Provider(traits));
        options.AppendExecutionProvider_CUDA(provider);
        OperatorDomain.AddTo(options);
        return options;
    }

    public override RunOptions CreateRunOptions()
    {
        var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddRunConfigEntry("disable_synchronize_execution_providers", "1");
        return options;
    }

    public override NativeBuffer Allocate(long bytes) => DeviceMemory.Allocate(bytes, _resources.Usage);

    public override NativeBuffer AllocateHost(long bytes) => _pinned.Take(bytes);

    public override void Upload(nint host, nint device, long bytes) =>
        _resources.Compute.Copy(host, device, bytes, CudaRuntime.HostToDevice);

    public override void Download(nint device, nint host, long bytes) =>
        _resources.Compute.Copy(device, host, bytes, CudaRuntime.DeviceToHost);

    public override void Copy(nint from, nint to, long bytes) =>
        _resources.Compute.Copy(from, to, bytes, CudaRuntime.DeviceToDevice);

    public override void Synchronize() => _resources.Compute.Synchronize();

    public override DeviceLease Enter(CancellationToken cancellationToken) => _gate.Enter(this, cancellationToken);

    public override long CaptureEpoch => _gate.Handovers;

    public override void Settle() => _resources.Settle();

    public override long AllocatedBytes => _resources.Usage.Bytes;

    // The load goes on while the engine's thread does other work, so that a batch that stops does not end it.
    public override StageWeights LoadWeights(
        ComponentSpec component, ComponentPlan? plan, AppliedLoras? loras, CancellationToken stopping) =>
        new CudaWeights(component, plan, _resources, _buffers, _store, new WeightSources(_reader, loras), _logger);

    public override CapturedRun? Capture(Action run)
    {
        try
        {
            CudaGraph graph = CudaGraph.Capture(_resources.Compute, Card.Index, run);
            CudaLog.Captured(_logger, graph.Nodes);
            return graph;
        }
        catch (MuseAtelierException exception)
        {
            CudaLog.CaptureFailed(_logger, exception.Message);
            _captureFailed = true;
            return null;
        }
    }

    // ONNX Runtime has no error code for exhausted memory, so its message is examined.
    public override bool IsOutOfMemory(OnnxRuntimeException exception) => IsOutOfMemory(exception.Message);

    public override long SharedArenaBytes(long constantBytes) =>
        _arena.BytesWithout(constantBytes, ArenaStatistics.Read()?.Held);

    public override long? ContextBytes { get; }

    public override long? BaselineBytes { get; }

    public override long? ProcessBytes() => _cardMemory.ProcessBytes();

    public override long? FreeBytes() => _cardMemory.FreeBytes();

    public override void Dispose()
    {
        // The lease is needed because freeing memory waits for all work of the card and the arena is shared, which must not happen in the
        // middle of another engine's batch.
        using (Enter(CancellationToken.None))
        {
            _reader.Dispose();
            CudaRuntime.Ignore(CudaRuntime.DeviceSynchronize());
            _pinned.Dispose();
            ArenaStatistics.Dispose();
            _arena.Dispose();
            Memory.Dispose();
            KernelModule.Release(_resources.Compute.Handle);
            _resources.Copies.Dispose();
            _resources.Compute.Dispose();
        }

        _gate.Forget(this);
        _log.Dispose();
    }

    /// <summary>Whether a message reports exhausted memory, in the words of ONNX Runtime's arena, CUDA, cuBLAS or cuDNN.</summary>
    internal static bool IsOutOfMemory(string message) =>
        message.Contains("Failed to allocate memory", StringComparison.Ordinal)
        || message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
        || message.Contains("ALLOC_FAILED", StringComparison.Ordinal)
        || message.Contains("DEVICE_ALLOCATION_FAILED", StringComparison.Ordinal);

    // ONNX Runtime's default search (EXHAUSTIVE) tries every algorithm and chooses slower ones. In fp32 with channels last, cuDNN's
    // heuristic choice for one of the UNet's convolutions needs 204 GiB of workspace at 1024x1024; in TF32, as in fp16, cuDNN has kernels
    // for that layout.
    private Dictionary<string, string> Provider(SessionTraits traits) => new(_provider)
    {
        // cuDNN 9.19 leaks about 80 KiB of host memory for each handle that it destroys, so sessions that do not need cuDNN create none.
        ["enable_cudnn"] = traits.UsesCudnn ? "1" : "0",
        ["cudnn_conv_algo_search"] = traits.Arithmetic == SessionArithmetic.Fp32 ? "DEFAULT" : "HEURISTIC",
        ["use_tf32"] = traits.Arithmetic == SessionArithmetic.Fp32Range ? "1" : "0",
    };
}
