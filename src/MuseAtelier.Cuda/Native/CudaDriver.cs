using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>The functions of the driver's own interface that list the cards, without creating a context on any of them.</summary>
internal static unsafe partial class CudaDriver
{
    public const int Success = 0, ErrorNoDevice = 100;

    private const string Library = CudaLibraries.Driver;
    private const int AttributeMajor = 75, AttributeMinor = 76;

    static CudaDriver() => CudaLibraries.Resolve();

    /// <summary>
    /// The newest CUDA version that the driver supports, as 1000 * major + 10 * minor; null if the driver does not report it.
    /// </summary>
    public static int? Version() => DriverGetVersion(out int version) == Success ? version : null;

    /// <summary>Starts the driver; returns 0, or the driver's code of the error.</summary>
    public static int Start() => Init(0);

    /// <summary>The cards that the driver shows to this process.</summary>
    public static IReadOnlyList<CudaCard> Cards()
    {
        if (DeviceGetCount(out int count) != Success) return [];
        var cards = new List<CudaCard>();
        const int length = 256;
        byte* name = stackalloc byte[length];
        for (int i = 0; i < count; i++)
        {
            if (DeviceGet(out int device, i) != Success) continue;
            string text = DeviceGetName(name, length, device) == Success ? Marshal.PtrToStringUTF8((nint)name) ?? "" : "unknown card";
            bool hasMajor = DeviceGetAttribute(out int major, AttributeMajor, device) == Success;
            bool hasMinor = DeviceGetAttribute(out int minor, AttributeMinor, device) == Success;
            Version capability = hasMajor && hasMinor ? new Version(major, minor) : new Version(0, 0);
            long bytes = DeviceTotalMem(out nuint total, device) == Success ? (long)total : 0;
            long? free = PciBusId(i) is { } id ? Nvml.FreeBytes(Nvml.Device(id)) : null;
            cards.Add(new CudaCard(i, text, capability, bytes) { FreeBytes = free });
        }

        return cards;
    }

    /// <summary>A card's address on the PCI bus, which all of NVIDIA's libraries share; null where there is no such card.</summary>
    public static string? PciBusId(int card)
    {
        const int length = 32;
        byte* text = stackalloc byte[length];
        if (DeviceGet(out int device, card) != Success || DeviceGetPciBusId(text, length, device) != Success) return null;
        return Marshal.PtrToStringUTF8((nint)text);
    }

    /// <summary>
    /// A card's adapter identity (LUID) on Windows, and a mask of its nodes; null where Windows does not list it among its adapters.
    /// </summary>
    public static (long Identity, uint Nodes)? AdapterId(int card)
    {
        long identity;
        if (DeviceGet(out int device, card) != Success || DeviceGetLuid(&identity, out uint nodes, device) != Success) return null;
        return (identity, nodes);
    }

    /// <summary>The driver's own name of an error.</summary>
    public static string Name(int code) => GetErrorName(code, out nint text) == Success
        ? Marshal.PtrToStringUTF8(text) ?? ""
        : FormattableString.Invariant($"error {code}");

    /// <summary>What an error means, in the driver's words.</summary>
    public static string Text(int code) =>
        GetErrorString(code, out nint text) == Success ? Marshal.PtrToStringUTF8(text) ?? "" : "unknown error";

    [LibraryImport(Library, EntryPoint = "cuInit")]
    private static partial int Init(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    private static partial int DriverGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetCount")]
    private static partial int DeviceGetCount(out int count);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    private static partial int DeviceGet(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetName")]
    private static partial int DeviceGetName(byte* name, int length, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceTotalMem_v2")]
    private static partial int DeviceTotalMem(out nuint bytes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetPCIBusId")]
    private static partial int DeviceGetPciBusId(byte* text, int length, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetLuid")]
    private static partial int DeviceGetLuid(long* identity, out uint nodes, int device);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    private static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    private static partial int GetErrorName(int code, out nint text);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    private static partial int GetErrorString(int code, out nint text);
}
