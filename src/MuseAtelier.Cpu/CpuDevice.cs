using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cpu;

/// <summary>The CPU. Device memory is host memory, and weights are read directly from the memory-mapped files.</summary>
internal sealed unsafe class CpuDevice : ExecutionDevice
{
    private const nuint Alignment = 256;

    private readonly ModelPackage _package;
    private readonly int _threads;
    private readonly bool _spins;
    private readonly bool _shared;
    private readonly OnnxLog _log;

    public CpuDevice(ModelPackage package, int threads, bool spins, AtelierOptions options)
    {
        // Returning large blocks to the system costs system calls, so it is done only where memory is short or has a budget.
        bool isShort = HostMemory.DefaultBudget() < NativeHeap.EnoughBytes;
        if (isShort || options.DeclaredBudget is not null || options.Offload == OffloadMode.Rotate) NativeHeap.ReturnLargeBlocks();
        _package = package;
        int processors = Environment.ProcessorCount;
        int most = Math.Max(CpuBackend.MostThreads, processors);
        int wanted = threads == 0 ? processors : Math.Min(threads, most);
        _spins = spins && CpuThreads.MaySpin(wanted, processors);
        _shared = OnnxEnvironment.Prepare(wanted, _spins);
        // Sessions that share a pool run on all of its threads, whatever number was requested.
        _threads = _shared ? OnnxEnvironment.SharedThreads : wanted;
        Notices = CpuThreads.Notices(threads, _threads, most, processors);
        Memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        if (_shared) ArenaStatistics = new ArenaStatistics(Memory);
        _log = new OnnxLog(options.LoggerFactory);
    }

    public override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"{RuntimeInformation.ProcessArchitecture} processor, {_threads} threads");

    public override IReadOnlyList<string> Notices { get; }

    public override string Arena => "cpu:0";

    public override OrtMemoryInfo Memory { get; }

    public override ArenaStatistics? ArenaStatistics { get; }

    public override SessionOptions CreateSessionOptions(SessionTraits traits)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            LogId = _log.SessionId,
        };
        if (_shared)
        {
            // All sessions share one arena, because separate arenas would each keep their own peak. A memory pattern would add a block
            // outside it.
            options.DisablePerSessionThreads();
            options.AddSessionConfigEntry("session.use_env_allocators", "1");
            options.EnableMemoryPattern = false;
        }
        else
        {
            options.IntraOpNumThreads = _threads;
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", _spins ? "1" : "0");
        }

        return options;
    }

    public override RunOptions CreateRunOptions() => new();

    public override NativeBuffer Allocate(long bytes)
    {
        nint address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        return new NativeBuffer(address, bytes, static address => NativeMemory.AlignedFree((void*)address));
    }

    public override NativeBuffer AllocateHost(long bytes) => Allocate(bytes);

    public override void Upload(nint host, nint device, long bytes) =>
        Buffer.MemoryCopy((void*)host, (void*)device, bytes, bytes);

    public override void Download(nint device, nint host, long bytes) =>
        Buffer.MemoryCopy((void*)device, (void*)host, bytes, bytes);

    public override void Copy(nint from, nint to, long bytes) =>
        Buffer.MemoryCopy((void*)from, (void*)to, bytes, bytes);

    public override void Synchronize() { }

    public override bool IsOutOfMemory(OnnxRuntimeException exception) => IsOutOfMemory(exception.Message);

    // The first message is of ONNX Runtime's arena, the others are of the C++ libraries of Linux and Windows.
    internal static bool IsOutOfMemory(string message) =>
        message.Contains("Failed to allocate memory", StringComparison.Ordinal)
        || message.Contains("bad_alloc", StringComparison.Ordinal)
        || message.Contains("bad allocation", StringComparison.Ordinal);

    public override long? ProcessBytes() => AnonymousMemory.Bytes();

    public override StageWeights LoadWeights(
        ComponentSpec component, ComponentPlan? plan, AppliedLoras? loras, CancellationToken stopping)
    {
        bool isChanged = loras is not null && component.Stages.Any(loras.ChangesWeights);
        return isChanged
            ? new MergedWeights(_package, component, loras!, this, _threads, stopping)
            : new MappedWeights(_package);
    }

    public override void Dispose()
    {
        ArenaStatistics?.Dispose();
        Memory.Dispose();
        _log.Dispose();
    }
}
