using System.Globalization;

namespace MuseAtelier.Cpu;

/// <summary>What a user should know of the number of threads that run.</summary>
internal static class CpuThreads
{
    /// <summary>The notices of a device; empty where as many threads run as were asked for, each on a processor of its own.</summary>
    /// <param name="asked">Threads that were asked for; 0 leaves the number to the device.</param>
    /// <param name="running">Threads that run.</param>
    /// <param name="most">The most threads that are taken.</param>
    /// <param name="processors">Processors that the process may use.</param>
    public static IReadOnlyList<string> Notices(int asked, int running, int most, int processors)
    {
        if (asked == 0) return [];
        if (running == Math.Min(asked, most))
        {
            string beyond = running > processors
                ? Say($"; that is not faster than {processors}, and gives the last bits of a machine with {running}") : "";
            if (asked > most) return [Say($"{asked} threads were asked for, and at most {most} are taken: {running} run{beyond}.")];
            return beyond.Length == 0 ? []
                : [Say($"{running} threads run on {processors} {(processors == 1 ? "processor" : "processors")}{beyond}.")];
        }

        const string pool = "the first atelier of this process made the pool of threads, which all share";
        return [Say($"{asked} threads were asked for, and {running} run: {pool}. Another process can run {asked}.")];
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
