using System.Diagnostics;
using System.Globalization;

namespace MuseAtelier.Tests.Hostile;

/// <summary>
/// Gives a reader one damaged input after the other. Each has to be read, or be refused by a documented type, and without taking much
/// memory for it. The variable
/// MUSE_MUTATIONS says how many; a short run is part of every test run.
/// </summary>
internal sealed class MutationRun
{
    private const long MostBytes = 64 << 20;

    private readonly Dictionary<string, int> _outcomes = [];
    private long _most;
    private TimeSpan _longest;

    public static int Count(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("MUSE_MUTATIONS"), CultureInfo.InvariantCulture, out int count) ? count : usual;

    /// <summary>Inputs that were read to the end.</summary>
    public int Read => _outcomes.GetValueOrDefault("read");

    public void Try(int number, byte[] input, Action read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread(), begin = Stopwatch.GetTimestamp();
        string outcome = "read";
        try
        {
            read();
        }
        catch (MuseAtelierException exception)
        {
            outcome = exception.GetType().Name;
            Assert.DoesNotContain('\n', exception.Message);
        }
        catch (Exception exception)
        {
            string kept = Path.Combine(Path.GetTempPath(), $"muse-mutation-{number}.json");
            File.WriteAllBytes(kept, input);
            Assert.Fail($"mutation {number}, kept as {kept}: {exception}");
        }

        TimeSpan took = Stopwatch.GetElapsedTime(begin);
        if (took > _longest) _longest = took;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        _most = Math.Max(_most, allocated);
        Assert.True(allocated <= MostBytes + 16L * input.Length, $"mutation {number} took {allocated:N0} bytes");
        _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + 1;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture,
            $"{_outcomes.Values.Sum():N0} inputs; longest {_longest.TotalMilliseconds:N0} ms, most {_most / 1e6:N1} MB; {string.Join(", ", _outcomes.OrderByDescending(outcome => outcome.Value).Select(outcome => $"{outcome.Key} {outcome.Value}"))}");
}
