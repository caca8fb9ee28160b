using System.Globalization;
using System.Runtime.InteropServices;
using MuseAtelier.Host;

namespace MuseAtelier.Cpu;

/// <summary>How much memory something allows this process.</summary>
/// <param name="Name">What bounds it, in words.</param>
/// <param name="LimitBytes">Bytes that are allowed in all, also to other processes under the same bound.</param>
/// <param name="FreeBytes">Bytes that this process may take beside what it holds already.</param>
internal sealed record MemoryBound(string Name, long LimitBytes, long FreeBytes)
{
    /// <summary>Whether it bounds addresses rather than memory: no budget follows from it, for what is free of it tells little of what can be taken.</summary>
    public bool CountsRoom { get; init; }
}

/// <summary>
/// What memory is free for this process: the least that the machine, the control groups above the process and its own limits leave. Pages of files
/// that the system can drop and read again count as free.
/// </summary>
internal static partial class HostMemory
{
    private const long Kibibyte = 1024;

    // What runs beside the engine in the same bound grows too: the system's own structures for the process, and its other threads.
    private const long Reserve = 64L << 20;

    /// <summary>
    /// Bytes that the process may hold where no budget was given: what is free, what it holds already, less a reserve of 64 MiB;
    /// <see cref="long.MaxValue"/> where nothing is known.
    /// </summary>
    public static long DefaultBudget()
    {
        IReadOnlyList<MemoryBound> bounds = Bounds();
        return Budget(bounds, AnonymousMemory.Bytes() ?? 0);
    }

    /// <summary>The same for bounds that are known.</summary>
    /// <param name="bounds">The bounds.</param>
    /// <param name="heldBytes">Bytes that the process holds.</param>
    internal static long Budget(IReadOnlyList<MemoryBound> bounds, long heldBytes) =>
        Tightest(bounds) is { } bound ? Math.Max(0, bound.FreeBytes + heldBytes - Reserve) : long.MaxValue;

    /// <summary>The bound that leaves the least memory; null where there is none.</summary>
    public static MemoryBound? Tightest(IReadOnlyList<MemoryBound> bounds) => bounds.Where(bound => !bound.CountsRoom).MinBy(bound => bound.FreeBytes);

    /// <summary>All bounds that are known; the machine's own is the first.</summary>
    public static IReadOnlyList<MemoryBound> Bounds()
    {
        if (OperatingSystem.IsLinux()) return BoundsOfLinux();
        if (OperatingSystem.IsWindows()) return BoundsOfWindows();
        // Elsewhere only what there is in all, less what this process holds of it.
        long total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return total > 0 ? [new MemoryBound("machine", total, total - (AnonymousMemory.Bytes() ?? 0))] : [];
    }

    /// <summary>The bounds that Linux states in its files.</summary>
    /// <param name="root">Where its files are looked for: empty but in tests.</param>
    internal static IReadOnlyList<MemoryBound> BoundsOfLinux(string root = "")
    {
        var groups = new ControlGroups(root);
        var bounds = new List<MemoryBound>();
        string? machine = groups.Text("/proc/meminfo"), status = groups.Text("/proc/self/status");
        long total = ControlGroups.Entry(machine, "MemTotal") * Kibibyte, available = ControlGroups.Entry(machine, "MemAvailable") * Kibibyte;
        if (total > 0 && available > 0) bounds.Add(new MemoryBound("machine", total, available));
        foreach ((string folder, bool isUnified) in groups.Of("memory"))
        {
            // A limit above what there is, as version 1 writes for "no limit", is none.
            if (Group(groups, folder, isUnified) is { } bound && (total == 0 || bound.LimitBytes < total)) bounds.Add(bound);
        }

        foreach (string line in groups.Lines("/proc/self/limits"))
        {
            if (Limit(line, "Max data size", "data limit (ulimit -d)", ControlGroups.Entry(status, "VmData") * Kibibyte) is { } data) bounds.Add(data);
            // Most of the address space that a process has taken is no memory, but room that .NET and the C library keep for themselves and use.
            if (Limit(line, "Max address space", "address limit (ulimit -v)", ControlGroups.Entry(status, "VmSize") * Kibibyte) is { } address) bounds.Add(address with { CountsRoom = true });
        }

        return bounds;
    }

    private static MemoryBound? Group(ControlGroups groups, string folder, bool isUnified)
    {
        string[] limits = isUnified ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"];
        long limit = limits.Min(name => groups.Number($"{folder}/{name}") ?? long.MaxValue);
        if (limit == long.MaxValue || groups.Number($"{folder}/{(isUnified ? "memory.current" : "memory.usage_in_bytes")}") is not { } used) return null;
        string? parts = groups.Text($"{folder}/memory.stat");
        string prefix = isUnified ? "" : "total_";
        long files = ControlGroups.Entry(parts, prefix + "inactive_file") + ControlGroups.Entry(parts, prefix + "active_file");
        return new MemoryBound($"control group {folder}", limit, Math.Max(0, limit - Math.Max(0, used - files)));
    }

    // "Max data size             104857600            unlimited            bytes"; the first number is the one that counts.
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
