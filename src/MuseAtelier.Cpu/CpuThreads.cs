using System.Globalization;

namespace MuseAtelier.Cpu;

/// <summary>Rules for the number of threads that run, and the notices to the user about it.</summary>
internal static class CpuThreads
{
    /// <summary>
    /// Whether threads that wait may spin. If there are more threads than processors, a spinning thread takes a processor from a thread
    /// that computes.
    /// </summary>
    /// <param name="threads">Threads that run.</param>
    /// <param name="processors">Processors that the process may use.</param>
    public static bool MaySpin(int threads, int processors) => threads <= processors;

    /// <summary>The notices of a device; empty where the requested number of threads runs and each has a processor of its own.</summary>
    /// <param name="asked">Requested threads; 0 leaves the number to the device.</param>
    /// <param name="running">Threads that run.</param>
    /// <param name="most">The most threads that may run.</param>
    /// <param name="processors">Processors that the process may use.</param>
    public static IReadOnlyList<string> Notices(int asked, int running, int most, int processors)
    {
        if (asked == 0) return [];
        if (running == Math.Min(asked, most))
        {
            string beyond = running > processors
                ? Say($"; that is not faster than {processors}, and gives the last bits of a machine with {running}")
                : "";
            if (asked > most) return [Say($"{asked} threads were asked for, and at most {most} are taken: {running} run{beyond}.")];
            if (beyond.Length == 0) return [];
            string noun = processors == 1 ? "processor" : "processors";
            return [Say($"{running} threads run on {processors} {noun}{beyond}.")];
        }

        const string pool = "the first atelier of this process made the pool of threads, which all share";
        return [Say($"{asked} threads were asked for, and {running} run: {pool}. Another process can run {asked}.")];
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
