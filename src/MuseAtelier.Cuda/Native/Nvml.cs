using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>NVIDIA's management library, which reports the driver's own counts of memory. Every function may be absent or refuse.</summary>
internal static unsafe partial class Nvml
{
    private const string Library = CudaLibraries.Management;
    private const int Success = 0;
    private const ulong NotAvailable = ulong.MaxValue;
    private const int MostProcesses = 256;

    private static readonly Lazy<bool> Started = new(Start);

    static Nvml() => CudaLibraries.Resolve();

    /// <summary>
    /// The library's handle of the card at a PCI address such as <c>00000000:01:00.0</c>; 0 where the library does not know the card.
    /// </summary>
    public static nint Device(string pciBusId) =>
        Started.Value && DeviceGetHandleByPciBusId(pciBusId, out nint device) == Success ? device : 0;

    /// <summary>The driver's version, such as <c>580.82.07</c>; null if unknown.</summary>
    public static string? DriverVersion()
    {
        if (!Started.Value) return null;
        const int length = 96;
        byte* text = stackalloc byte[length];
        return SystemGetDriverVersion(text, length) == Success ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    /// <summary>Bytes that all programs together use on the card; null if unknown.</summary>
    public static long? UsedBytes(nint device) =>
        device != 0 && DeviceGetMemoryInfo(device, out Memory memory) == Success ? (long)memory.Used : null;

    /// <summary>Free bytes of the card; null if unknown.</summary>
    public static long? FreeBytes(nint device) =>
        device != 0 && DeviceGetMemoryInfo(device, out Memory memory) == Success ? (long)memory.Free : null;

    /// <summary>
    /// Bytes that a process uses on the card; null if the driver does not report them, as in containers, whose process numbers differ from
    /// the system's.
    /// </summary>
    public static long? ProcessBytes(nint device, int process)
    {
        if (device == 0) return null;
        uint count = MostProcesses;
        Process* processes = stackalloc Process[MostProcesses];
        if (DeviceGetComputeRunningProcesses(device, &count, processes) != Success) return null;
        for (uint i = 0; i < count; i++)
            if (processes[i].Id == process && processes[i].UsedBytes != NotAvailable) return (long)processes[i].UsedBytes;
        return null;
    }

    private static bool Start()
    {
        try
        {
            return CudaLibraries.Load(Library) != 0 && Init() == Success;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport(Library, EntryPoint = "nvmlInit_v2")]
    private static partial int Init();

    [LibraryImport(Library, EntryPoint = "nvmlSystemGetDriverVersion")]
    private static partial int SystemGetDriverVersion(byte* version, uint length);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetHandleByPciBusId_v2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int DeviceGetHandleByPciBusId(string pciBusId, out nint device);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetMemoryInfo")]
    private static partial int DeviceGetMemoryInfo(nint device, out Memory memory);

    [LibraryImport(Library, EntryPoint = "nvmlDeviceGetComputeRunningProcesses_v3")]
    private static partial int DeviceGetComputeRunningProcesses(nint device, uint* count, Process* processes);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Memory
    {
        public readonly ulong Total;
        public readonly ulong Free;
        public readonly ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Process
    {
        public readonly uint Id;
        public readonly ulong UsedBytes;
        public readonly uint GpuInstance;
        public readonly uint ComputeInstance;
    }
}
