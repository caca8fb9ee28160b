using System.Diagnostics;
using System.Globalization;

namespace MuseAtelier.Tests.Hostile;

/// <summary>
/// Gives a reader one damaged input after the other. The reader must read each input or refuse it with a documented exception type, and
/// must not allocate much memory. The environment variable MUSE_MUTATIONS sets the number of inputs; every test run includes a short run.
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

    public override string ToString()
    {
        IEnumerable<string> outcomes =
            _outcomes.OrderByDescending(outcome => outcome.Value).Select(outcome => $"{outcome.Key} {outcome.Value}");
        string inputs = string.Create(CultureInfo.InvariantCulture, $"{_outcomes.Values.Sum():N0} inputs");
        string most = string.Create(
            CultureInfo.InvariantCulture, $"longest {_longest.TotalMilliseconds:N0} ms, most {_most / 1e6:N1} MB");
        return $"{inputs}; {most}; {string.Join(", ", outcomes)}";
    }
}
