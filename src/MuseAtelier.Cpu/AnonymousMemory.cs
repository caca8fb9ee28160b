using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Cpu;

/// <summary>
/// The memory that only this process holds. On Linux it is the pages that come from no file, in memory or in swap; on Windows the private
/// bytes; on macOS the physical footprint. Pages of mapped files, which the system can drop and read again, are not included.
/// </summary>
internal static unsafe partial class AnonymousMemory
{
    private static readonly SafeFileHandle? Status = Open();

    /// <summary>Size in bytes; null where the system does not tell. May be called on any thread; allocates no managed memory.</summary>
    public static long? Bytes()
    {
        if (OperatingSystem.IsWindows()) return PrivateBytes();
        if (OperatingSystem.IsMacOS()) return FootprintBytes();
        if (Status is null) return null;
        Span<byte> buffer = stackalloc byte[8192];
        ReadOnlySpan<byte> text = buffer[..RandomAccess.Read(Status, buffer, 0)];
        if (Kibibytes(text, "RssAnon:"u8) is not { } resident) return null;
        return (resident + (Kibibytes(text, "VmSwap:"u8) ?? 0)) << 10;
    }

    /// <summary>The number of a line such as "RssAnon:	   12345 kB"; null where there is no such line.</summary>
    internal static long? Kibibytes(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        int at = text.IndexOf(name);
        if (at < 0) return null;
        return Utf8Parser.TryParse(text[(at + name.Length)..].TrimStart("\t "u8), out long number, out _) ? number : null;
    }

    private static SafeFileHandle? Open()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.OpenHandle("/proc/self/status") : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long? PrivateBytes()
    {
        const nint currentProcess = -1;
        var counters = new MemoryCounters { Size = (uint)sizeof(MemoryCounters) };
        return GetProcessMemoryInfo(currentProcess, &counters, counters.Size) ? (long)counters.PrivateUsage : null;
    }

    private static long? FootprintBytes()
    {
        const uint vmInfo = 22;
        var info = new TaskMemory();
        uint count = (uint)(sizeof(TaskMemory) / sizeof(uint));
        return TaskInfo(TaskSelf(), vmInfo, &info, &count) == 0 ? (long)info.Footprint : null;
    }

    [LibraryImport("kernel32", EntryPoint = "K32GetProcessMemoryInfo")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetProcessMemoryInfo(nint process, MemoryCounters* counters, uint size);

    [LibraryImport("libSystem.dylib", EntryPoint = "mach_task_self")]
    private static partial uint TaskSelf();

    [LibraryImport("libSystem.dylib", EntryPoint = "task_info")]
    private static partial int TaskInfo(uint task, uint flavor, TaskMemory* info, uint* count);

    // PROCESS_MEMORY_COUNTERS_EX of psapi.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryCounters
    {
        public uint Size;
        public uint PageFaults;
        public nuint PeakWorkingSet;
        public nuint WorkingSet;
        public nuint PeakPagedPool;
        public nuint PagedPool;
        public nuint PeakNonPagedPool;
        public nuint NonPagedPool;
        public nuint PageFile;
        public nuint PeakPageFile;
        public nuint PrivateUsage;
    }

    // The start of task_vm_info in mach/task_info.h, up to phys_footprint (revision 1).
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct TaskMemory
    {
        public Counts Before;
        public ulong Footprint;
    }

    // The members from virtual_size to compressed_lifetime: 144 bytes, which are not read.
    [InlineArray(18)]
    private struct Counts
    {
        private ulong _first;
    }
}
