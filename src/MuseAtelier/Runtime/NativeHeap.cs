using System.Runtime.InteropServices;

namespace MuseAtelier.Runtime;

/// <summary>
/// The heap of the C library, from which ONNX Runtime allocates. Calls do nothing without glibc, and are harmless if another allocator
/// replaces its heap. Thread-safe.
/// </summary>
internal static partial class NativeHeap
{
    private const string Library = "libc.so.6";
    private const int MapThreshold = -3;
    private const int LargeBytes = 256 << 10;

    /// <summary>The available memory, in bytes, from which on the heap may keep freed blocks.</summary>
    public const long EnoughBytes = 4L << 30;

    /// <summary>
    /// Makes glibc map large blocks one by one, so that each returns to the system when it is freed. By default glibc raises this threshold
    /// to up to 32 MiB, and then keeps freed blocks that are smaller.
    /// </summary>
    public static void ReturnLargeBlocks() => Try(static () => SetOption(MapThreshold, LargeBytes));

    /// <summary>
    /// Returns unused pages to the system, in the heaps of all threads. By default glibc returns only the end of a heap, and each engine's
    /// thread leaves a heap that is half empty when it ends.
    /// </summary>
    public static void Trim() => Try(static () => TrimAll(0));

    private static void Try(Func<int> call)
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = call();
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // This is another C library, which has no such function.
        }
    }

    [LibraryImport(Library, EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport(Library, EntryPoint = "malloc_trim")]
    private static partial int TrimAll(nuint kept);
}
