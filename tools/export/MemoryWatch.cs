using System.Diagnostics;
using System.Globalization;

namespace MuseAtelier.Tools.Export;

/// <summary>
/// Samples the memory of the process. Pages of a mapped checkpoint usually count as the process's own, although the system can reclaim them
/// at any time, so they are reported separately on Linux, which distinguishes them.
/// </summary>
internal sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Timer? _timer;
    private long _peakOwn, _peakMapped;

    public MemoryWatch()
    {
        if (OperatingSystem.IsLinux()) _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, Interval);
    }

    /// <summary>Returns the peak in one line.</summary>
    public string Describe()
    {
        if (_timer is null)
        {
            using var process = Process.GetCurrentProcess();
            return string.Create(CultureInfo.InvariantCulture, $"peak memory {process.PeakWorkingSet64 / 1e6:N0} MB");
        }

        Dictionary<string, long> status = Sample();
        double peak = status.GetValueOrDefault("VmHWM") / 1e6;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"peak memory {peak:N0} MB (peak of its own {_peakOwn / 1e6:N0} MB, of mapped files {_peakMapped / 1e6:N0} MB)");
    }

    public void Dispose() => _timer?.Dispose();

    private Dictionary<string, long> Sample()
    {
        var status = new Dictionary<string, long>();
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            // "RssAnon:      1234 kB"
            string[] parts = line.Split((char[])[':', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (parts is [string name, string number, "kB"] && long.TryParse(number, CultureInfo.InvariantCulture, out long kibibytes))
                status[name] = kibibytes * 1024;
        }

        lock (_lock)
        {
            _peakOwn = Math.Max(_peakOwn, status.GetValueOrDefault("RssAnon"));
            _peakMapped = Math.Max(_peakMapped, status.GetValueOrDefault("RssFile") + status.GetValueOrDefault("RssShmem"));
        }

        return status;
    }
}
