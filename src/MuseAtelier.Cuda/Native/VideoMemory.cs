using System.Numerics;
using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// A card's memory as Windows counts it (DXGI). Under the WDDM driver model NVML does not count the memory of single processes, but Windows
/// does. Every function may be absent or refuse: on another system, for a card in TCC mode, or without a display driver.
/// </summary>
internal sealed unsafe class VideoMemory
{
    // Indices in the interfaces' method tables, counted from IUnknown's QueryInterface. (dxgi1_4.h)
    private const int Release = 2, EnumAdapterByLuid = 26, QueryVideoMemoryInfo = 14;
    private const int LocalSegments = 0;

    private static readonly Guid Factory4 = new("1bc6ea02-ef36-464f-bf0c-21ca39e5168a");
    private static readonly Guid Adapter3 = new("645967a4-1392-4310-a798-8053ce3e93fd");

    private readonly nint _adapter;
    private readonly uint _node;

    private VideoMemory(nint adapter, uint node) => (_adapter, _node) = (adapter, node);

    ~VideoMemory() => Free(_adapter);

    /// <summary>Opens a card; null where Windows does not count its memory.</summary>
    /// <param name="card">The card's number, as CUDA counts them.</param>
    public static VideoMemory? Of(int card)
    {
        if (!OperatingSystem.IsWindows() || !Environment.Is64BitProcess) return null;
        try
        {
            if (CudaDriver.AdapterId(card) is not var (identity, nodes)) return null;
            Guid wanted = Factory4;
            nint factory;
            if (Dxgi.CreateDXGIFactory1(&wanted, &factory) < 0 || factory == 0) return null;
            wanted = Adapter3;
            nint adapter = 0;
            var enumerate = (delegate* unmanaged[Stdcall]<nint, long, Guid*, nint*, int>)Entry(factory, EnumAdapterByLuid);
            int result = enumerate(factory, identity, &wanted, &adapter);
            Free(factory);
            if (result < 0 || adapter == 0) return null;
            var memory = new VideoMemory(adapter, nodes == 0 ? 0 : (uint)BitOperations.TrailingZeroCount(nodes));
            return memory.Read() is null ? null : memory;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// Bytes of the card's own memory that Windows allows this process, and bytes that the process uses; null if Windows
    /// does not report them.
    /// </summary>
    public (long Budget, long Used)? Read()
    {
        Info info;
        var query = (delegate* unmanaged[Stdcall]<nint, uint, int, Info*, int>)Entry(_adapter, QueryVideoMemoryInfo);
        int result = query(_adapter, _node, LocalSegments, &info);
        GC.KeepAlive(this);
        return result < 0 ? null : ((long)info.Budget, (long)info.CurrentUsage);
    }

    private static void Free(nint instance) => ((delegate* unmanaged[Stdcall]<nint, uint>)Entry(instance, Release))(instance);

    private static nint Entry(nint instance, int place) => (*(nint**)instance)[place];

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Info
    {
        public readonly ulong Budget;
        public readonly ulong CurrentUsage;
        public readonly ulong AvailableForReservation;
        public readonly ulong CurrentReservation;
    }
}

/// <summary>The functions imported from Windows' DXGI.</summary>
internal static unsafe partial class Dxgi
{
    [LibraryImport("dxgi")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CreateDXGIFactory1(Guid* wanted, nint* factory);
}
