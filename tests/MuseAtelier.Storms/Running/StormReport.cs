using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Storms.Running;

/// <summary>What a storm did and found. Members may be called from any thread.</summary>
internal sealed class StormReport(string storm)
{
    /// <summary>Failures that are listed one by one; further ones are only counted.</summary>
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

    /// <summary>The storm's name, as the command line has it.</summary>
    public string Storm { get; } = storm;

    /// <summary>Whether nothing failed.</summary>
    public bool Passed => Interlocked.Read(ref _failed) == 0;

    /// <summary>Whether something never came back, so that the process cannot end by itself.</summary>
    public bool Hung { get; private set; }

    /// <summary>The device in words, as an atelier names it.</summary>
    public string? Device { get; set; }

    /// <summary>What was asked for, such as the seed and the count: enough to run the same again.</summary>
    public Dictionary<string, string> Options { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts by name.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Measured figures by name; the name tells the unit.</summary>
    public IReadOnlyDictionary<string, double> Figures => _figures;

    /// <summary>The first failures.</summary>
    public IReadOnlyCollection<StormFailure> Failures => _failures;

    /// <summary>What was left out and why, and whatever else a reader should know.</summary>
    public IReadOnlyCollection<string> Notes => _notes;

    public long Count(string name) => _counts.GetValueOrDefault(name);

    public void Add(string name, long amount = 1) => _counts.AddOrUpdate(name, amount, (_, before) => before + amount);

    public void Figure(string name, double value) => _figures[name] = Math.Round(value, 3);

    public void Note(string text) => _notes.Enqueue(text);

    /// <summary>Notes that something is not as it must be.</summary>
    /// <param name="kind">The count that it adds to, such as <c>wrong</c> or <c>thrown</c>.</param>
    /// <param name="where">Where in the storm: enough to run it again.</param>
    /// <param name="what">What was found.</param>
    public void Fail(string kind, string where, string what)
    {
        Add(kind);
        if (Interlocked.Increment(ref _failed) <= MostListed) _failures.Enqueue(new StormFailure(kind, where, what));
    }

    /// <summary>Notes that something did not come back in time.</summary>
    public void FailHanging(string where, string what)
    {
        Hung = true;
        Fail("hanging", where, what);
    }

    public double Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(
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
        Form);

    /// <summary>The failures in lines, for a test's message.</summary>
    public override string ToString() => string.Join('\n', Failures.Select(failure => $"{failure.Kind} at {failure.Where}: {failure.What}"));
}

/// <summary>Something that is not as it must be.</summary>
/// <param name="Kind">Which count it adds to.</param>
/// <param name="Where">Where in the storm.</param>
/// <param name="What">What was found.</param>
internal sealed record StormFailure(string Kind, string Where, string What);
