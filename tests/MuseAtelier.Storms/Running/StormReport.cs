using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Storms.Running;

/// <summary>The report of a storm. Thread-safe.</summary>
internal sealed class StormReport(string storm)
{
    /// <summary>The number of failures that are listed. Further ones are only counted.</summary>
    public const int MostListed = 100;

    private static readonly JsonSerializerOptions Form = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, double> _figures = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<StormFailure> _failures = new();
    private readonly ConcurrentQueue<string> _notes = new();
    private long _failed;

    /// <summary>The storm's name on the command line.</summary>
    public string Storm { get; } = storm;

    /// <summary>Whether there is no failure.</summary>
    public bool Passed => Interlocked.Read(ref _failed) == 0;

    /// <summary>Whether a call has not returned, so that the process cannot end by itself.</summary>
    public bool Hung { get; private set; }

    /// <summary>The device in words, as an atelier names it.</summary>
    public string? Device { get; set; }

    /// <summary>The options, such as the seed and the count, which suffice to repeat the storm.</summary>
    public Dictionary<string, string> Options { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts by name.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Measured figures by name. The name contains the unit.</summary>
    public IReadOnlyDictionary<string, double> Figures => _figures;

    /// <summary>The first failures.</summary>
    public IReadOnlyCollection<StormFailure> Failures => _failures;

    /// <summary>Notes for the reader, such as what was left out and why.</summary>
    public IReadOnlyCollection<string> Notes => _notes;

    public long Count(string name) => _counts.GetValueOrDefault(name);

    public void Add(string name, long amount = 1) => _counts.AddOrUpdate(name, amount, (_, before) => before + amount);

    public void Figure(string name, double value) => _figures[name] = Math.Round(value, 3);

    public void Note(string text) => _notes.Enqueue(text);

    /// <summary>Records a failure.</summary>
    /// <param name="kind">The count that it increments, such as <c>wrong</c> or <c>thrown</c>.</param>
    /// <param name="where">Its place in the storm, which suffices to repeat it.</param>
    /// <param name="what">The finding.</param>
    public void Fail(string kind, string where, string what)
    {
        Add(kind);
        if (Interlocked.Increment(ref _failed) <= MostListed)
            _failures.Enqueue(new StormFailure(kind, where, what));
    }

    /// <summary>Waits for the work as long as it makes progress, and reports that it hangs otherwise.</summary>
    /// <param name="where">What works, for the report.</param>
    /// <param name="work">The work.</param>
    /// <param name="finished">Counts what is finished.</param>
    /// <param name="hangSeconds">Seconds in which something has to be finished.</param>
    public async Task WatchAsync(string where, Task work, Func<long> finished, int hangSeconds)
    {
        while (true)
        {
            long before = finished();
            if (await Task.WhenAny(work, Task.Delay(TimeSpan.FromSeconds(hangSeconds))) == work)
            {
                await work;
                return;
            }

            if (finished() != before)
                continue;
            Hung = true;
            Fail("hanging", where, FormattableString.Invariant($"nothing was finished in {hangSeconds} s"));
            return;
        }
    }

    public double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Returns the report as JSON.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new
            {
                Storm,
                Passed,
                Date = DateTime.UtcNow,
                Seconds = Math.Round(Seconds, 1),
                Machine = new
                {
                    Device,
                    Processors = Environment.ProcessorCount,
                    System = RuntimeInformation.OSDescription,
                    Runtime = RuntimeInformation.FrameworkDescription,
                    OnnxRuntime = OrtEnv.Instance().GetVersionString(),
                    Muse = PictureProvenance.CurrentEngine,
                },
                Options,
                Counts = new SortedDictionary<string, long>(_counts, StringComparer.Ordinal),
                Figures = new SortedDictionary<string, double>(_figures, StringComparer.Ordinal),
                Notes,
                Failures,
            },
            Form
        );

    /// <summary>Returns the failures, one in each line, for a test's message.</summary>
    public override string ToString() =>
        string.Join('\n', Failures.Select(failure => $"{failure.Kind} at {failure.Where}: {failure.What}"));
}

/// <summary>A failure.</summary>
/// <param name="Kind">The count that it increments.</param>
/// <param name="Where">Its place in the storm.</param>
/// <param name="What">The finding.</param>
internal sealed record StormFailure(string Kind, string Where, string What);
