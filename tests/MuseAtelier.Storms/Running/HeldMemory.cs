using System.Globalization;
using System.Runtime.InteropServices;

namespace MuseAtelier.Storms.Running;

/// <summary>The host memory of this process, and the memory in use on the first card.</summary>
internal static partial class HeldMemory
{
    private const string Management = "libnvidia-ml.so.1";

    /// <summary>Bytes of anonymous memory, including swapped memory; null if unknown.</summary>
    /// <param name="process">The process; null means this one.</param>
    public static long? AnonymousBytes(int? process = null)
    {
        string name = process?.ToString(CultureInfo.InvariantCulture) ?? "self";
        if (!File.Exists($"/proc/{name}/status"))
            return null;
        long total = 0;
        foreach (string line in File.ReadAllLines($"/proc/{name}/status"))
            if (line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("VmSwap:", StringComparison.Ordinal))
                total +=
                    long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) << 10;
        return total;
    }

    /// <summary>Bytes in use on the first card by all processes, as reported by NVML; null if unknown.</summary>
    public static long? CardBytes()
    {
        try
        {
            if (Init() != 0 || DeviceGetHandleByIndex(0, out nint device) != 0)
                return null;
            return DeviceGetMemoryInfo(device, out Memory memory) == 0 ? (long)memory.Used : null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport(Management, EntryPoint = "nvmlInit_v2")]
    private static partial int Init();

    [LibraryImport(Management, EntryPoint = "nvmlDeviceGetHandleByIndex_v2")]
    private static partial int DeviceGetHandleByIndex(uint index, out nint device);

    [LibraryImport(Management, EntryPoint = "nvmlDeviceGetMemoryInfo")]
    private static partial int DeviceGetMemoryInfo(nint device, out Memory memory);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Memory
    {
        public readonly ulong Total,
            Free,
            Used;
    }
}
