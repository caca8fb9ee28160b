using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// The functions of the CUDA runtime that the engine uses, as in CUDA 12 and 13. Every call is checked by <see cref="Check"/>.
/// </summary>
internal static unsafe partial class CudaRuntime
{
    public const int Success = 0, ErrorMemoryAllocation = 2;
    public const uint StreamNonBlocking = 1, EventDisableTiming = 2, HostAllocPortable = 1;
    public const int HostToDevice = 1, DeviceToHost = 2, DeviceToDevice = 3;
    public const int CaptureModeRelaxed = 2;
    public const ulong GraphAutoFreeOnLaunch = 1;
    public const int NodeHost = 3;
    public const int LimitStackSize = 0;

    private const string Library = CudaLibraries.Runtime;

    static CudaRuntime() => CudaLibraries.Resolve();

    /// <summary>Throws the exception of a failed call.</summary>
    /// <param name="code">The code that the call returned.</param>
    /// <param name="call">Name of the call.</param>
    /// <param name="bytes">Bytes that the call was to allocate; 0 where it allocates none.</param>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    /// <exception cref="CudaException">The call failed for another reason.</exception>
    public static void Check(int code, string call, long bytes = 0)
    {
        if (code == Success) return;
        Ignore(GetLastError());
        // Contexts, streams and captured runs take device memory too, so every call but HostAlloc, which takes host memory, means the
        // device.
        if (code == ErrorMemoryAllocation && call != nameof(HostAlloc))
        {
            bool known = MemGetInfo(out nuint free, out _) == Success;
            string available = known ? FormattableString.Invariant($"{free >> 20} MiB") : "not enough memory";
            string needed = bytes > 0 ? FormattableString.Invariant($"{bytes >> 20} MiB are needed") : $"cuda{call} needs more";
            throw new DeviceMemoryException($"the device has {available} free where {needed}");
        }

        throw CudaException.OfRuntime(call, code);
    }

    /// <summary>
    /// Ignores the code of a call that cleans up, because such a call fails only after an earlier failure, which it must not hide.
    /// </summary>
    public static void Ignore(int code) => _ = code;

    public static string Name(int code) => Marshal.PtrToStringUTF8(GetErrorName(code)) ?? FormattableString.Invariant($"error {code}");

    public static string Text(int code) => Marshal.PtrToStringUTF8(GetErrorString(code)) ?? "unknown error";

    [LibraryImport(Library, EntryPoint = "cudaGetLastError")]
    public static partial int GetLastError();

    [LibraryImport(Library, EntryPoint = "cudaRuntimeGetVersion")]
    public static partial int RuntimeGetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cudaSetDevice")]
    public static partial int SetDevice(int device);

    [LibraryImport(Library, EntryPoint = "cudaDeviceGetLimit")]
    public static partial int DeviceGetLimit(out nuint value, int limit);

    [LibraryImport(Library, EntryPoint = "cudaDeviceSetLimit")]
    public static partial int DeviceSetLimit(int limit, nuint value);

    [LibraryImport(Library, EntryPoint = "cudaDeviceSynchronize")]
    public static partial int DeviceSynchronize();

    [LibraryImport(Library, EntryPoint = "cudaMemGetInfo")]
    public static partial int MemGetInfo(out nuint free, out nuint total);

    [LibraryImport(Library, EntryPoint = "cudaMalloc")]
    public static partial int Malloc(out nint address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cudaFree")]
    public static partial int Free(nint address);

    [LibraryImport(Library, EntryPoint = "cudaHostAlloc")]
    public static partial int HostAlloc(out nint address, nuint bytes, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaFreeHost")]
    public static partial int FreeHost(nint address);

    [LibraryImport(Library, EntryPoint = "cudaMemcpyAsync")]
    public static partial int MemcpyAsync(nint to, nint from, nuint bytes, int kind, nint stream);

    [LibraryImport(Library, EntryPoint = "cudaStreamCreateWithFlags")]
    public static partial int StreamCreateWithFlags(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaStreamDestroy")]
    public static partial int StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cudaStreamSynchronize")]
    public static partial int StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cudaStreamWaitEvent")]
    public static partial int StreamWaitEvent(nint stream, nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaEventCreateWithFlags")]
    public static partial int EventCreateWithFlags(out nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaEventDestroy")]
    public static partial int EventDestroy(nint @event);

    [LibraryImport(Library, EntryPoint = "cudaEventRecord")]
    public static partial int EventRecord(nint @event, nint stream);

    [LibraryImport(Library, EntryPoint = "cudaEventSynchronize")]
    public static partial int EventSynchronize(nint @event);

    [LibraryImport(Library, EntryPoint = "cudaStreamBeginCapture")]
    public static partial int StreamBeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cudaStreamEndCapture")]
    public static partial int StreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cudaGraphGetNodes")]
    public static partial int GraphGetNodes(nint graph, nint* nodes, nuint* count);

    [LibraryImport(Library, EntryPoint = "cudaGraphNodeGetType")]
    public static partial int GraphNodeGetType(nint node, out int type);

    [LibraryImport(Library, EntryPoint = "cudaGraphInstantiate")]
    public static partial int GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cudaGraphLaunch")]
    public static partial int GraphLaunch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cudaGraphExecDestroy")]
    public static partial int GraphExecDestroy(nint executable);

    [LibraryImport(Library, EntryPoint = "cudaDeviceGraphMemTrim")]
    public static partial int DeviceGraphMemTrim(int device);

    [LibraryImport(Library, EntryPoint = "cudaGraphDestroy")]
    public static partial int GraphDestroy(nint graph);

    [LibraryImport(Library, EntryPoint = "cudaGetErrorName")]
    private static partial nint GetErrorName(int code);

    [LibraryImport(Library, EntryPoint = "cudaGetErrorString")]
    private static partial nint GetErrorString(int code);
}
