using System.Globalization;

namespace MuseAtelier.Limits;

/// <summary>A limit of the number of threads or processes.</summary>
/// <param name="Name">The origin of the limit, in words.</param>
/// <param name="Limit">The number that is allowed in all.</param>
/// <param name="Used">The number in use; null if it is unknown.</param>
internal sealed record ThreadBound(string Name, long Limit, long? Used);

/// <summary>Checks that this process can start the threads that it needs.</summary>
internal static class HostThreads
{
    /// <summary>The limits that Linux states in its files; none on other systems.</summary>
    /// <param name="root">The folder that holds these files; empty except in tests.</param>
    public static IReadOnlyList<ThreadBound> Bounds(string root = "")
    {
        if (!OperatingSystem.IsLinux()) return [];
        var groups = new ControlGroups(root);
        var bounds = new List<ThreadBound>();
        foreach ((string folder, _) in groups.Of("pids"))
        {
            if (groups.Number($"{folder}/pids.max") is { } limit)
                bounds.Add(new ThreadBound($"control group {folder}", limit, groups.Number($"{folder}/pids.current")));
        }

        const string title = "Max processes";
        foreach (string line in groups.Lines("/proc/self/limits").Where(line => line.StartsWith(title, StringComparison.Ordinal)))
        {
            string word = line[title.Length..].TrimStart().Split(' ')[0];
            if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long limit))
                bounds.Add(new ThreadBound("user's limit (ulimit -u)", limit, null));
        }

        return bounds;
    }

    /// <summary>
    /// Starts that many threads at once, and throws if one does not start. The threads must be tried here because native code may crash
    /// if one of its own threads does not start.
    /// </summary>
    /// <param name="count">The number of threads.</param>
    /// <exception cref="ThreadLimitException">The system refuses a thread.</exception>
    public static void Require(int count) => Require(count, static (thread, release) => thread.Start(release));

    /// <summary>Does the same with another way to start a thread, for tests.</summary>
    internal static void Require(int count, Action<Thread, object> start)
    {
        using var release = new ManualResetEventSlim(false);
        var started = new List<Thread>();
        try
        {
            for (int i = 0; i < count; i++)
            {
                var thread = new Thread(static release => ((ManualResetEventSlim)release!).Wait())
                {
                    IsBackground = true,
                    Name = "MuseAtelier check",
                };
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
