using System.Runtime.InteropServices;

namespace MuseAtelier.Cpu;

/// <summary>The C library's heap, from which ONNX Runtime takes its memory.</summary>
internal static partial class NativeHeap
{
    private const int MapThreshold = -3;
    private const int LargeBytes = 256 << 10;

    /// <summary>
    /// Has large blocks mapped one by one, so that each goes back to the system when it is freed. By itself glibc raises the size from which
    /// it does so up to 32 MiB, and then keeps what was freed below that. Does nothing where there is no glibc.
    /// </summary>
    public static void ReturnLargeBlocks()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = SetOption(MapThreshold, LargeBytes);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // Another C library, with other habits.
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
