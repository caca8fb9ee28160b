using System.Globalization;
using System.Runtime.InteropServices;
using MuseAtelier.Limits;

namespace MuseAtelier.Cpu;

/// <summary>A limit on the memory of this process, set by the machine, a control group or the process itself.</summary>
/// <param name="Name">The limit's name in words.</param>
/// <param name="LimitBytes">Bytes that the limit allows in all, to all processes under it.</param>
/// <param name="FreeBytes">Bytes that this process may take in addition to those it holds.</param>
internal sealed record MemoryBound(string Name, long LimitBytes, long FreeBytes)
{
    /// <summary>
    /// Whether it limits addresses rather than memory. No budget follows from such a limit, because free addresses say little about the
    /// memory that can be taken.
    /// </summary>
    public bool CountsRoom { get; init; }
}

/// <summary>
/// The memory that is free for this process: the least that the machine, the control groups above the process and the process's own limits
/// leave. Pages of files that the system can drop and read again count as free.
/// </summary>
internal static partial class HostMemory
{
    private const long Kibibyte = 1024;

    // The reserve is for other memory under the same limit: the system's own structures for the process, and the process's other threads.
    private const long Reserve = 64L << 20;

    /// <summary>
    /// Bytes that the process may hold where no budget was given: the free bytes and those that it holds, less a reserve of 64 MiB;
    /// <see cref="long.MaxValue"/> where no limit is known.
    /// </summary>
    public static long DefaultBudget()
    {
        IReadOnlyList<MemoryBound> bounds = Bounds();
        return Budget(bounds, AnonymousMemory.Bytes() ?? 0);
    }

    /// <summary>The default budget under given bounds.</summary>
    /// <param name="bounds">The bounds.</param>
    /// <param name="heldBytes">Bytes that the process holds.</param>
    internal static long Budget(IReadOnlyList<MemoryBound> bounds, long heldBytes) =>
        Tightest(bounds) is { } bound ? Math.Max(0, bound.FreeBytes + heldBytes - Reserve) : long.MaxValue;

    /// <summary>The bound that leaves the least memory; null where there is none.</summary>
    public static MemoryBound? Tightest(IReadOnlyList<MemoryBound> bounds) =>
        bounds.Where(bound => !bound.CountsRoom).MinBy(bound => bound.FreeBytes);

    /// <summary>All bounds that are known; the machine's own is the first.</summary>
    public static IReadOnlyList<MemoryBound> Bounds()
    {
        if (OperatingSystem.IsLinux()) return BoundsOfLinux();
        if (OperatingSystem.IsWindows()) return BoundsOfWindows();
        // Other systems tell only the memory in all, from which this process's own is subtracted.
        long total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return total > 0 ? [new MemoryBound("machine", total, total - (AnonymousMemory.Bytes() ?? 0))] : [];
    }

    /// <summary>The bounds that Linux states in its files.</summary>
    /// <param name="root">The folder below which its files lie; empty except in tests.</param>
    internal static IReadOnlyList<MemoryBound> BoundsOfLinux(string root = "")
    {
        var groups = new ControlGroups(root);
        var bounds = new List<MemoryBound>();
        string? machine = groups.Text("/proc/meminfo");
        string? status = groups.Text("/proc/self/status");
        long total = ControlGroups.Entry(machine, "MemTotal") * Kibibyte;
        long available = ControlGroups.Entry(machine, "MemAvailable") * Kibibyte;
        if (total > 0 && available > 0) bounds.Add(new MemoryBound("machine", total, available));
        foreach ((string folder, bool isUnified) in groups.Of("memory"))
        {
            // A limit above the machine's memory is no limit; version 1 of control groups writes "no limit" as a huge number.
            if (Group(groups, folder, isUnified) is { } bound && (total == 0 || bound.LimitBytes < total)) bounds.Add(bound);
        }

        long data = ControlGroups.Entry(status, "VmData") * Kibibyte;
        long addresses = ControlGroups.Entry(status, "VmSize") * Kibibyte;
        foreach (string line in groups.Lines("/proc/self/limits"))
        {
            if (Limit(line, "Max data size", "data limit (ulimit -d)", data) is { } dataBound) bounds.Add(dataBound);
            // Most of a process's address space is no memory but room that .NET and the C library reserve for themselves and use.
            if (Limit(line, "Max address space", "address limit (ulimit -v)", addresses) is { } addressBound)
                bounds.Add(addressBound with { CountsRoom = true });
        }

        return bounds;
    }

    private static MemoryBound? Group(ControlGroups groups, string folder, bool isUnified)
    {
        string[] limits = isUnified ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"];
        long limit = limits.Min(name => groups.Number($"{folder}/{name}") ?? long.MaxValue);
        string usage = isUnified ? "memory.current" : "memory.usage_in_bytes";
        if (limit == long.MaxValue || groups.Number($"{folder}/{usage}") is not { } used) return null;
        string? parts = groups.Text($"{folder}/memory.stat");
        string prefix = isUnified ? "" : "total_";
        long files = ControlGroups.Entry(parts, prefix + "inactive_file") + ControlGroups.Entry(parts, prefix + "active_file");
        return new MemoryBound($"control group {folder}", limit, Math.Max(0, limit - Math.Max(0, used - files)));
    }

    // "Max data size             104857600            unlimited            bytes"; the first number is the limit in force.
    private static MemoryBound? Limit(string line, string title, string name, long used)
    {
        if (!line.StartsWith(title, StringComparison.Ordinal)) return null;
        string[] words = line[title.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long limit)
            ? new MemoryBound(name, limit, Math.Max(0, limit - used))
            : null;
    }

    private static MemoryBound[] BoundsOfWindows()
    {
        var status = new MemoryStatus { Length = (uint)Marshal.SizeOf<MemoryStatus>() };
        if (!GlobalMemoryStatusEx(ref status)) return [];
        return
        [
            new MemoryBound("machine", (long)status.TotalPhysical, (long)status.AvailablePhysical),
            new MemoryBound("commit limit", (long)status.TotalPageFile, (long)status.AvailablePageFile),
        ];
    }

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GlobalMemoryStatusEx(ref MemoryStatus status);

    // MEMORYSTATUSEX of sysinfoapi.h; sizes in bytes.
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryStatus
    {
        public uint Length;
        public uint Load;
        public ulong TotalPhysical;
        public ulong AvailablePhysical;
        public ulong TotalPageFile;
        public ulong AvailablePageFile;
        public ulong TotalVirtual;
        public ulong AvailableVirtual;
        public ulong AvailableExtendedVirtual;
    }
}
