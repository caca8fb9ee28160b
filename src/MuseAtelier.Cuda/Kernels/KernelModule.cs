using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Kernels;

/// <summary>
/// The project's kernels, which the driver compiles for the present card, and the scratch memory that they need on each stream.
/// </summary>
internal sealed unsafe partial class KernelModule
{
    /// <summary>The most images in a batch; the scratch memory has room for no more.</summary>
    public const int LargestBatch = 64;

    /// <summary>
    /// The most blocks that sum over one image's rows. It must be the same for every card, because the order of summation depends on it.
    /// </summary>
    public const int SummingBlocks = 256;

    private const int Groups = 32;
    private const long PartialsBytes = (SummingBlocks + LargestBatch) * 2L * Groups * sizeof(float);
    private const long StatisticsBytes = LargestBatch * 2L * Groups * sizeof(float);
    private const long TicketsBytes = LargestBatch * sizeof(uint);
    private const long ScratchBytes = PartialsBytes + StatisticsBytes + TicketsBytes;

    // One module for each card that the process uses. Modules are never unloaded, because contexts are not destroyed either.
    private static readonly Dictionary<nint, KernelModule> Modules = [];

    private readonly ConcurrentDictionary<nint, Scratch> _scratch = new();
    private readonly nint _module;

    private KernelModule()
    {
        const string name = "kernels.ptx";
        using Stream source = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"This library was built without {name}.");
        using var reader = new StreamReader(source);
        fixed (byte* text = Encoding.UTF8.GetBytes(reader.ReadToEnd() + '\0'))
        fixed (nint* module = &_module)
            CudaDriver.Check(ModuleLoadData(module, text), "cuModuleLoadData");
    }

    /// <summary>The module of the thread's current context; loaded on first use.</summary>
    public static KernelModule Current
    {
        get
        {
            nint context;
            CudaDriver.Check(ContextGetCurrent(&context), "cuCtxGetCurrent");
            lock (Modules)
            {
                if (!Modules.TryGetValue(context, out KernelModule? module)) Modules[context] = module = new KernelModule();
                return module;
            }
        }
    }

    /// <summary>The handle of a kernel.</summary>
    /// <param name="name">The kernel's name in kernels.cu.</param>
    public nint Function(string name)
    {
        nint function;
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        CudaDriver.Check(ModuleGetFunction(&function, _module, text), $"cuModuleGetFunction({name})");
        Marshal.FreeCoTaskMem(text);
        return function;
    }

    /// <summary>The scratch memory of a stream. All kernels of a stream share it, because they run one after the other.</summary>
    public Scratch ScratchOf(nint stream)
    {
        // GetOrAdd must not be used, because two threads could then allocate, and one allocation would leak.
        if (_scratch.TryGetValue(stream, out Scratch known)) return known;
        lock (_scratch)
        {
            if (_scratch.TryGetValue(stream, out known)) return known;
            nint memory;
            CudaDriver.Check(MemAlloc(&memory, (nuint)ScratchBytes), "cuMemAlloc", ScratchBytes);
            // The memset must run on the stream itself, because the engine's streams do not wait for the default stream.
            CudaDriver.Check(MemsetD8(memory, 0, (nuint)ScratchBytes, stream), "cuMemsetD8Async");
            return _scratch[stream] = new Scratch(memory, memory + (nint)PartialsBytes, memory + (nint)(PartialsBytes + StatisticsBytes));
        }
    }

    /// <summary>Frees a stream's scratch memory. No work may be left on the stream.</summary>
    public static void Release(nint stream)
    {
        lock (Modules)
        {
            foreach (KernelModule module in Modules.Values)
                if (module._scratch.TryRemove(stream, out Scratch scratch)) _ = MemFree(scratch.Partials);
        }
    }

    /// <summary>Queues a kernel on a stream.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="blocksX">Blocks along x.</param>
    /// <param name="blocksY">Blocks along y.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Shared memory of a block, in bytes.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="arguments">The address of each argument; the driver reads the values before this call returns.</param>
    public static void Launch(
        nint function, int blocksX, int blocksY, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments)
    {
        fixed (nint* list = arguments)
        {
            int code = LaunchKernel(
                function, (uint)blocksX, (uint)blocksY, 1, (uint)threads, 1, 1, (uint)sharedBytes, stream, (void**)list, null);
            CudaDriver.Check(code, "cuLaunchKernel");
        }
    }

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuCtxGetCurrent")]
    private static partial int ContextGetCurrent(nint* context);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuModuleLoadData")]
    private static partial int ModuleLoadData(nint* module, byte* image);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuModuleGetFunction")]
    private static partial int ModuleGetFunction(nint* function, nint module, nint name);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuMemAlloc_v2")]
    private static partial int MemAlloc(nint* address, nuint bytes);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuMemFree_v2")]
    private static partial int MemFree(nint address);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuMemsetD8Async")]
    private static partial int MemsetD8(nint address, byte value, nuint bytes, nint stream);

    [LibraryImport(CudaLibraries.Driver, EntryPoint = "cuLaunchKernel")]
    private static partial int LaunchKernel(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** arguments,
        void** extra);
}

/// <summary>Device memory for a kernel's intermediate values.</summary>
/// <param name="Partials">[images * blocks, 2, 32] fp32.</param>
/// <param name="Statistics">[images, 2, 32] fp32.</param>
/// <param name="Tickets">[images] 32-bit counters, zero between kernels.</param>
internal readonly record struct Scratch(nint Partials, nint Statistics, nint Tickets);
