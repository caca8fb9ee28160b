using System.Runtime.InteropServices;

namespace MuseAtelier.Runtime;

/// <summary>
/// The C library's heap, from which ONNX Runtime takes its memory. Nothing happens where there is no glibc, and no harm is done where
/// another allocator stands in its place. From any thread.
/// </summary>
internal static partial class NativeHeap
{
    private const string Library = "libc.so.6";
    private const int MapThreshold = -3;
    private const int LargeBytes = 256 << 10;

    /// <summary>Free memory of which it does not matter that the heap keeps some of what was freed.</summary>
    public const long EnoughBytes = 4L << 30;

    /// <summary>
    /// Has large blocks mapped one by one, so that each goes back to the system when it is freed. By itself glibc raises the size from
    /// which it does so up to 32 MiB, and then keeps what was freed below that.
    /// </summary>
    public static void ReturnLargeBlocks() => Try(static () => SetOption(MapThreshold, LargeBytes));

    /// <summary>
    /// Gives pages without a block in use back to the system, in the heaps of all threads. glibc by itself gives back only the end of a
    /// heap, and each engine's thread has a heap that is left half empty when the thread ends.
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
            // Another C library, with other habits.
        }
    }

    [LibraryImport(Library, EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);

    [LibraryImport(Library, EntryPoint = "malloc_trim")]
    private static partial int TrimAll(nuint kept);
}
