using MuseAtelier.Limits;
using static System.FormattableString;

namespace MuseAtelier;

/// <summary>The process cannot start the threads that the engine needs, because a limit of tasks or of memory is reached.</summary>
public sealed class ThreadLimitException : MuseAtelierException
{
    private const int Near = 1000;

    internal ThreadLimitException(int started, int needed, IReadOnlyList<ThreadBound> bounds, Exception inner)
        : base(
            $"the system started {started} of {needed} threads and refused the next{Describe(bounds)}",
            $"room for {needed} threads more",
            "Raise the limit of tasks (pids.max of the container, TasksMax of the unit, ulimit -u) or of memory (ulimit -v, ulimit -d), "
                + "or use fewer threads (--threads of muse, CpuBackend.Create).",
            inner)
    {
        Started = started;
        Needed = needed;
    }

    /// <summary>The number of threads that were started.</summary>
    public int Started { get; }

    /// <summary>The number of threads that are needed.</summary>
    public int Needed { get; }

    private static string Describe(IReadOnlyList<ThreadBound> bounds)
    {
        // The message must not name a limit that is far from reached, because memory may have been the cause.
        IEnumerable<ThreadBound> close = bounds.Where(bound => bound.Limit - (bound.Used ?? 0) < Near);
        if (close.MinBy(bound => bound.Limit) is not { } tightest) return "";
        string used = tightest.Used is { } count ? Invariant($", of which {count} are in use") : "";
        return Invariant($" ({tightest.Name} allows {tightest.Limit} tasks{used})");
    }
}
