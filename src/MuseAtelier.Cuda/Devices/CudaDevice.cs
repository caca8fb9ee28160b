using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cuda.Kernels;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// An NVIDIA card. All sessions run on one stream, which is ours; weights are copied on a second; the host waits for neither but at
/// <see cref="Synchronize"/>.
/// </summary>
internal sealed class CudaDevice : ExecutionDevice
{
    /// <summary>What ONNX Runtime still makes of the graphs, which are fused when they are exported.</summary>
    private const GraphOptimizationLevel Optimization = GraphOptimizationLevel.ORT_ENABLE_ALL;

    private static int _engines;

    private readonly ModelPackage _package;
    private readonly CudaOptions _options;
    private readonly ILogger _logger;
    private readonly CardMemory _cardMemory;
    private readonly PinnedPool _pinned = new();
    private readonly WeightReader _reader;
    private readonly SharedArena _arena;
    private readonly Dictionary<string, string> _provider;
    private readonly bool _sharesThreads;
    private readonly Dictionary<bool, StreamingBuffer> _buffers = [];
    private readonly DeviceGate _gate;
    private readonly bool _isFirst = Interlocked.Increment(ref _engines) == 1;
    private (long OncePerPass, long EveryStep) _leastBufferBytes;
    private bool _captureFailed;

    /// <summary>Takes hold of a card.</summary>
    /// <param name="package">The package that will run; borrowed.</param>
    /// <param name="options">How the card is used.</param>
    /// <param name="card">The card.</param>
    /// <param name="loggers">Where the log goes; null for nowhere.</param>
    /// <param name="cancellationToken">Ends the wait for a card that another engine uses.</param>
    public CudaDevice(ModelPackage package, CudaOptions options, CudaCard card, ILoggerFactory? loggers, CancellationToken cancellationToken)
    {
        (_package, _options, Card) = (package, options, card);
        _gate = CardGates.Of(card.Index);
        using DeviceLease lease = Enter(cancellationToken);
        _logger = (ILogger?)loggers?.CreateLogger("MuseAtelier.Cuda") ?? NullLogger.Instance;
        _cardMemory = CardMemory.Of(card.Index);
        long? before = _cardMemory.ProcessBytes();
        _sharesThreads = OnnxEnvironment.Prepare(Environment.ProcessorCount, loggers);
        CudaRuntime.Check(CudaRuntime.SetDevice(card.Index), nameof(CudaRuntime.SetDevice));
        DeviceStacks.Bound();
        OperatorDomain.Announce(package.Graph(package.Manifest.Component(ComponentNames.Finishing).Stages[0]));
        ComputeStream = new CudaStream();
        CopyStream = new CudaStream();
        ContextBytes = before == 0 ? _cardMemory.ProcessBytes() : null;
        BaselineBytes = SharedArena.HasHolders(card.Index) ? null : _cardMemory.ProcessBytes();
        _reader = new WeightReader(card.Index, options.ReaderThreads);
        _arena = new SharedArena(card.Index);
        Memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, card.Index, OrtMemType.Default);
        ArenaStatistics = new ArenaStatistics(Memory);
        _provider = new Dictionary<string, string>
        {
            ["device_id"] = card.Index.ToString(CultureInfo.InvariantCulture),
            // Without the first of these two the second is ignored in silence.
            ["has_user_compute_stream"] = "1",
            ["user_compute_stream"] = ((ulong)ComputeStream.Handle).ToString(CultureInfo.InvariantCulture),
            ["arena_extend_strategy"] = "kSameAsRequested",
        };
    }

    /// <summary>The card.</summary>
    public CudaCard Card { get; }

    /// <summary>The stream of all runs, and of copies that belong to them.</summary>
    public CudaStream ComputeStream { get; }

    /// <summary>The stream of weights that come while others are at work.</summary>
    public CudaStream CopyStream { get; }

    public override string Description => string.Create(CultureInfo.InvariantCulture, $"{Card.Name}, {Card.MemoryBytes / (double)(1L << 30):0.0} GiB");

    public override string Arena => string.Create(CultureInfo.InvariantCulture, $"gpu:{Card.Index}");

    public override OrtMemoryInfo Memory { get; }

    public override ArenaStatistics ArenaStatistics { get; }

    public override bool LoadsAhead => true;

    // Each session has a handle of cuDNN for the thread that runs it and one more for another thread that made it, and cuDNN 9.19 leaves some
    // 80 KiB of host memory behind for each that it destroys. So only a process's first engine, which has the code of all kernels still to load,
    // makes sessions on several threads.
    public override int SessionThreads => _isFirst ? _options.SessionThreads : 0;

    public override bool CapturesRuns => _options.CaptureSteps && !_captureFailed;

    public override SessionOptions CreateSessionOptions(SessionTraits traits)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = Optimization,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            EnableMemoryPattern = false,
        };
        // The card does the work: a pool of threads for each session would only take memory.
        if (_sharesThreads) options.DisablePerSessionThreads();
        else options.IntraOpNumThreads = 1;
        options.AddSessionConfigEntry("session.use_env_allocators", traits.HasOwnArena ? "0" : "1");
        // Outside the arena, so that they go with their session, and no captured run's temporaries lie among them.
        options.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
        // A graph that needs the processor is a mistake of the exporter, and would be slow in silence.
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

    public override NativeBuffer Allocate(long bytes)
    {
        CudaRuntime.Check(CudaRuntime.Malloc(out nint address, (nuint)bytes), nameof(CudaRuntime.Malloc), bytes);
        Usage.Take(bytes);
        return new NativeBuffer(address, bytes, address =>
        {
            CudaRuntime.Ignore(CudaRuntime.Free(address));
            Usage.GiveBack(bytes);
        });
    }

    public override NativeBuffer AllocateHost(long bytes) => _pinned.Take(bytes);

    public override void Upload(nint host, nint device, long bytes) => ComputeStream.Copy(host, device, bytes, CudaRuntime.HostToDevice);

    public override void Download(nint device, nint host, long bytes) => ComputeStream.Copy(device, host, bytes, CudaRuntime.DeviceToHost);

    public override void Copy(nint from, nint to, long bytes) => ComputeStream.Copy(from, to, bytes, CudaRuntime.DeviceToDevice);

    public override void Synchronize() => ComputeStream.Synchronize();

    public override DeviceLease Enter(CancellationToken cancellationToken) => _gate.Enter(this, cancellationToken);

    public override long CaptureEpoch => _gate.Handovers;

    public override void Settle()
    {
        CopyStream.Settle();
        ComputeStream.Settle();
    }

    /// <summary>Counts the device memory that this engine takes by itself.</summary>
    public DeviceUsage Usage { get; } = new();

    public override long AllocatedBytes => Usage.Bytes;

    public override StageWeights LoadWeights(ComponentSpec component, IReadOnlyList<WeightPlacement>? placements) =>
        new CudaWeights(_package, component, placements, this, _reader, _logger);

    public override void ReserveStreamingBuffers(long oncePerPass, long everyStep) => _leastBufferBytes = (oncePerPass, everyStep);

    /// <summary>A window of at least that many bytes, for what runs in every step or for what runs once a pass; the same for all that ask while it is large enough.</summary>
    public StreamingBuffer Window(bool everyStep, long bytes) =>
        _buffers.TryGetValue(everyStep, out StreamingBuffer? window) && !window.IsFreed && window.Bytes >= bytes
            ? window
            : _buffers[everyStep] = new StreamingBuffer(this, Math.Max(bytes, everyStep ? _leastBufferBytes.EveryStep : _leastBufferBytes.OncePerPass));

    /// <summary>Gives up the memory of all windows but that one.</summary>
    public void GiveUpOtherBuffers(StreamingBuffer kept)
    {
        foreach (StreamingBuffer other in _buffers.Values)
        {
            if (other == kept || other.IsFreed || !other.IsThere) continue;
            other.User?.Settle();
            CopyStream.Synchronize();
            ComputeStream.Synchronize();
            other.GiveUp();
        }
    }

    public override CapturedRun? Capture(Action run)
    {
        try
        {
            CudaGraph graph = CudaGraph.Capture(ComputeStream, Card.Index, run);
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

    // ONNX Runtime has no code of its own for it.
    public override bool IsOutOfMemory(OnnxRuntimeException exception) => IsOutOfMemory(exception.Message);

    public override long SharedArenaBytes(long constantBytes) => _arena.BytesWithout(constantBytes, ArenaStatistics.Read()?.Held);

    public override long? ContextBytes { get; }

    public override long? BaselineBytes { get; }

    public override long? ProcessBytes() => _cardMemory.ProcessBytes();

    public override long? FreeBytes() => _cardMemory.FreeBytes();

    public override void Dispose()
    {
        // Freeing memory waits for all work of the card, and the arena is shared: not in the middle of another engine's batch.
        using (Enter(CancellationToken.None))
        {
            _reader.Dispose();
            CudaRuntime.Ignore(CudaRuntime.DeviceSynchronize());
            _pinned.Dispose();
            ArenaStatistics.Dispose();
            _arena.Dispose();
            Memory.Dispose();
            KernelModule.Release(ComputeStream.Handle);
            CopyStream.Dispose();
            ComputeStream.Dispose();
        }

        _gate.Forget(this);
    }

    /// <summary>Whether a failure's text is that of ONNX Runtime's arena, of CUDA, of cuBLAS or of cuDNN where memory is used up.</summary>
    internal static bool IsOutOfMemory(string message) =>
        message.Contains("Failed to allocate memory", StringComparison.Ordinal)
        || message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
        || message.Contains("ALLOC_FAILED", StringComparison.Ordinal)
        || message.Contains("DEVICE_ALLOCATION_FAILED", StringComparison.Ordinal);

    // ONNX Runtime's own default tries every algorithm and takes slower ones. cuDNN's first choice for one of the UNet's convolutions in fp32 and
    // channels last wants 204 GiB of workspace at 1024x1024; in TF32 it has kernels for that layout, as in fp16.
    private Dictionary<string, string> Provider(SessionTraits traits) => new(_provider)
    {
        // Every handle of cuDNN that is made leaves some 80 KiB of host memory behind when it is destroyed (cuDNN 9.19).
        ["enable_cudnn"] = traits.UsesCudnn ? "1" : "0",
        ["cudnn_conv_algo_search"] = traits.Arithmetic == SessionArithmetic.Fp32 ? "DEFAULT" : "HEURISTIC",
        ["use_tf32"] = traits.Arithmetic == SessionArithmetic.Fp32Range ? "1" : "0",
    };
}
