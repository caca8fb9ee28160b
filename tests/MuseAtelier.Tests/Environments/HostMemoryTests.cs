using MuseAtelier.Cpu;
using MuseAtelier.Limits;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Environments;

/// <summary>Limits as the files of Linux state them, in trees of such files.</summary>
public sealed class HostMemoryTests : IDisposable
{
    private const long KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

    private readonly TemporaryFolder _root = new();

    public HostMemoryTests()
    {
        Write("/proc/meminfo", "MemTotal:       16777216 kB\nMemFree:          100000 kB\nMemAvailable:    8388608 kB\n");
        Write("/proc/self/status", "Name:\tmuse\nVmSize:\t 2097152 kB\nVmData:\t  131072 kB\n");
        Write("/proc/self/limits", Limits("unlimited", "unlimited"));
    }

    [Fact]
    public void Bounds_OfAMachineWithoutLimits_AreWhatItHasAvailable()
    {
        Write("/proc/self/cgroup", "0::/\n");
        Assert.Equal([new MemoryBound("machine", 16 * GiB, 8 * GiB)], HostMemory.BoundsOfLinux(Root));
    }

    [Fact]
    public void Bounds_OfNestedGroups_HaveEachAboveTheProcess()
    {
        Mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
        Write("/proc/self/cgroup", "0::/outer/inner\n");
        Group("/sys/fs/cgroup/outer/inner", max: "max", high: "max", used: 100 * MiB, files: 0);
        // What files hold can be dropped, and counts as free.
        Group("/sys/fs/cgroup/outer", max: "2147483648", high: "1073741824", used: 900 * MiB, files: 400 * MiB);
        MemoryBound outer = HostMemory.BoundsOfLinux(Root)[1];
        Assert.Equal((GiB, GiB - 500 * MiB), (outer.LimitBytes, outer.FreeBytes));
        Assert.Equal("control group /sys/fs/cgroup/outer", outer.Name);
    }

    [Fact]
    public void Bounds_OfVersionOne_LeaveOutWhatIsNoLimit()
    {
        Mount("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
        Write("/proc/self/cgroup", "4:memory:/a/b\n2:cpu,cpuacct:/a\n0::/\n");
        Old("/sys/fs/cgroup/memory/a/b", 512 * MiB, 200 * MiB, 150 * MiB);
        Old("/sys/fs/cgroup/memory/a", long.MaxValue / 4096 * 4096, 0, 0);
        IReadOnlyList<MemoryBound> bounds = HostMemory.BoundsOfLinux(Root);
        Assert.Equal(2, bounds.Count);
        Assert.Equal((512 * MiB, 462 * MiB), (bounds[1].LimitBytes, bounds[1].FreeBytes));
    }

    // A container sees its own group at the mount's point, whatever the group is called outside.
    [Theory]
    [InlineData("/docker/0123", "/docker/0123")]
    [InlineData("/docker/0123", "/")]
    [InlineData("/", "/../../host.slice")]
    public void Bounds_InAContainer_AreTheContainersOwn(string mounted, string group)
    {
        Mount(mounted, "/sys/fs/cgroup", "cgroup2", "rw");
        Write("/proc/self/cgroup", $"0::{group}\n");
        Group("/sys/fs/cgroup", max: "1073741824", high: "max", used: 24 * MiB, files: 0);
        Assert.Equal(1000 * MiB, HostMemory.BoundsOfLinux(Root)[1].FreeBytes);
    }

    [Fact]
    public void Bounds_OfTheProcessItself_AreWhatItMayStillTake()
    {
        Write("/proc/self/cgroup", "");
        Write("/proc/self/limits", Limits("1073741824", "3221225472"));
        IReadOnlyList<MemoryBound> bounds = HostMemory.BoundsOfLinux(Root);
        Assert.Equal([GiB - 128 * MiB, GiB], bounds.Skip(1).Select(bound => bound.FreeBytes));
        // Addresses are no memory: the data limit is what a budget follows from.
        Assert.Equal(GiB - 128 * MiB - 64 * MiB, HostMemory.Budget(bounds, 0));
    }

    [Theory]
    [InlineData("/proc/self/cgroup", "")]
    [InlineData("/proc/self/cgroup", "nonsense\n0::\n:::\n")]
    [InlineData("/proc/self/mountinfo", "35 24 0:30\n- - -\n")]
    [InlineData("/proc/meminfo", "MemTotal: many kB\nMemAvailable:")]
    [InlineData("/proc/self/limits", "Max data size\nMax address space   x y\n")]
    public void Bounds_OfFilesThatSayNothing_AreFewer(string file, string text)
    {
        Write(file, text);
        Assert.InRange(HostMemory.BoundsOfLinux(Root).Count, 0, 1);
    }

    [Fact]
    public void Budget_IsTheTightestBoundWithWhatIsHeldAlready() =>
        Assert.Equal(1100 * MiB - 64 * MiB,
            HostMemory.Budget([new MemoryBound("a", 9 * GiB, 2 * GiB), new MemoryBound("b", GiB, 1000 * MiB)], 100 * MiB));

    [Fact]
    public void DefaultBudget_OfThisMachine_IsSomething() => Assert.InRange(HostMemory.DefaultBudget(), 1, long.MaxValue);

    [Fact]
    public void Threads_OfNestedGroups_HaveEachLimit()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells.");
        Mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
        Write("/proc/self/cgroup", "0::/a\n");
        Write("/sys/fs/cgroup/a/pids.max", "18\n");
        Write("/sys/fs/cgroup/a/pids.current", "7\n");
        Write("/proc/self/limits", "Max processes             96365                96365                processes\n");
        Assert.Equal([new ThreadBound("control group /sys/fs/cgroup/a", 18, 7), new ThreadBound("user's limit (ulimit -u)", 96365, null)],
            HostThreads.Bounds(Root));
    }

    public void Dispose() => _root.Dispose();

    private string Root => Path.GetDirectoryName(_root["x"])!;

    private static string Limits(string data, string address) =>
        $"Limit                     Soft Limit           Hard Limit           Units     \nMax data size             {data,-20} unlimited  "
            + $"          bytes     \nMax address space         {address,-20} unlimited            bytes     \n";

    private void Mount(string root, string point, string type, string options) =>
        Write("/proc/self/mountinfo",
            $"24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n35 24 0:30 {root} {point} rw,relatime shared:9 - {type} {type} "
                + $"{options}\n");

    private void Group(string folder, string max, string high, long used, long files)
    {
        Write($"{folder}/memory.max", max + "\n");
        Write($"{folder}/memory.high", high + "\n");
        Write($"{folder}/memory.current", FormattableString.Invariant($"{used}\n"));
        Write($"{folder}/memory.stat",
            FormattableString.Invariant($"anon 1\nfile {files}\ninactive_file {files / 4}\nactive_file {files - files / 4}\n"));
    }

    private void Old(string folder, long limit, long used, long files)
    {
        Write($"{folder}/memory.limit_in_bytes", FormattableString.Invariant($"{limit}\n"));
        Write($"{folder}/memory.usage_in_bytes", FormattableString.Invariant($"{used}\n"));
        Write($"{folder}/memory.stat", FormattableString.Invariant($"inactive_file 1\ntotal_inactive_file {files}\ntotal_active_file 0\n"));
    }

    private void Write(string path, string text)
    {
        string full = Root + path;
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
