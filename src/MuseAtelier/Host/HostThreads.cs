using System.Globalization;

namespace MuseAtelier.Host;

/// <summary>How many threads or processes something allows.</summary>
/// <param name="Name">What bounds them, in words.</param>
/// <param name="Limit">How many are allowed in all.</param>
/// <param name="Used">How many there are; null where it is not told.</param>
internal sealed record ThreadBound(string Name, long Limit, long? Used);

/// <summary>How many threads this process may start.</summary>
internal static class HostThreads
{
    /// <summary>The bounds that Linux states in its files; none on other systems.</summary>
    /// <param name="root">Where its files are looked for: empty but in tests.</param>
    public static IReadOnlyList<ThreadBound> Bounds(string root = "")
    {
        if (!OperatingSystem.IsLinux()) return [];
        var groups = new ControlGroups(root);
        var bounds = new List<ThreadBound>();
        foreach ((string folder, _) in groups.Of("pids"))
            if (groups.Number($"{folder}/pids.max") is { } limit) bounds.Add(new ThreadBound($"control group {folder}", limit, groups.Number($"{folder}/pids.current")));
        const string title = "Max processes";
        foreach (string line in groups.Lines("/proc/self/limits").Where(line => line.StartsWith(title, StringComparison.Ordinal)))
        {
            string word = line[title.Length..].TrimStart().Split(' ')[0];
            if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long limit)) bounds.Add(new ThreadBound("user's limit (ulimit -u)", limit, null));
        }

        return bounds;
    }

    /// <summary>Fails where so many threads cannot be started at once: native code may crash where a thread of its own does not start.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="ThreadLimitException">They cannot.</exception>
    public static void Require(int count) => Require(count, static (thread, release) => thread.Start(release));

    /// <summary>The same with another way to start a thread, for tests.</summary>
    internal static void Require(int count, Action<Thread, object> start)
    {
        using var release = new ManualResetEventSlim(false);
        var started = new List<Thread>();
        try
        {
            for (int i = 0; i < count; i++)
            {
                var thread = new Thread(static release => ((ManualResetEventSlim)release!).Wait()) { IsBackground = true, Name = "MuseAtelier check" };
                start(thread, release);
                started.Add(thread);
            }
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            throw new ThreadLimitException(started.Count, count, Bounds(), exception);
        }
        finally
        {
            release.Set();
            foreach (Thread thread in started) thread.Join();
        }
    }
}
