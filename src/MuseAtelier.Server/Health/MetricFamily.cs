using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace MuseAtelier.Server.Health;

/// <summary>
/// The values of an instrument, a series for each set of tags, in Prometheus' terms. Recording allocates nothing but new series.
/// </summary>
internal sealed class MetricFamily
{
    // Tags of the engine and of the server have few values. Beyond this, something else was mistaken for a tag.
    private const int MostSeries = 256;
    private const string Infinity = "+Inf";

    private readonly Lock _gate = new();
    private readonly List<Series> _series = [];
    private readonly string _kind;
    private readonly string _help;
    private readonly double[]? _bounds;

    /// <summary>Creates the family of an instrument.</summary>
    public MetricFamily(Instrument instrument)
    {
        bool isHistogram = instrument is Histogram<double> or Histogram<long>;
        bool isCounter = instrument is Counter<long> or Counter<double>;
        _kind = isHistogram ? "histogram" : isCounter ? "counter" : "gauge";
        _help = instrument.Description ?? instrument.Name;
        _bounds = isHistogram ? [.. (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries ?? []] : null;
        string unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        Name = $"{instrument.Name.Replace('.', '_')}{unit}{(isCounter ? "_total" : "")}";
        IsObserved = instrument.IsObservable;
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Whether the values are asked for, so that those that are not reported any more must go.</summary>
    public bool IsObserved { get; }

    /// <summary>Removes all values.</summary>
    public void Clear()
    {
        lock (_gate) _series.Clear();
    }

    /// <summary>Records a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
        {
            if (Find(tags) is not { } series) return;
            if (IsObserved) series.Sum = value;
            else series.Sum += value;
            series.Count++;
            for (int i = 0; i < series.Buckets.Length; i++)
                if (value <= _bounds![i]) series.Buckets[i]++;
        }
    }

    /// <summary>Writes the family in Prometheus' text format.</summary>
    public void Write(StringBuilder to)
    {
        lock (_gate)
        {
            if (_series.Count == 0) return;
            to.Append(CultureInfo.InvariantCulture, $"# HELP {Name} {_help}\n# TYPE {Name} {_kind}\n");
            foreach (Series series in _series) Write(to, series);
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Labels(KeyValuePair<string, object?>[] tags, string? bound)
    {
        IEnumerable<string> labels = tags.Select(tag => $"{tag.Key.Replace('.', '_')}=\"{Escaped($"{tag.Value}")}\"");
        if (bound is not null) labels = labels.Append($"le=\"{bound}\"");
        string all = string.Join(',', labels);
        return all.Length == 0 ? "" : $"{{{all}}}";
    }

    private static string Escaped(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);

    private void Write(StringBuilder to, Series series)
    {
        if (_bounds is null)
        {
            to.Append(CultureInfo.InvariantCulture, $"{Name}{Labels(series.Tags, null)} {Text(series.Sum)}\n");
            return;
        }

        for (int i = 0; i < _bounds.Length; i++)
            to.Append(CultureInfo.InvariantCulture, $"{Name}_bucket{Labels(series.Tags, Text(_bounds[i]))} {series.Buckets[i]}\n");
        to.Append(CultureInfo.InvariantCulture, $"{Name}_bucket{Labels(series.Tags, Infinity)} {series.Count}\n");
        to.Append(CultureInfo.InvariantCulture, $"{Name}_sum{Labels(series.Tags, null)} {Text(series.Sum)}\n");
        to.Append(CultureInfo.InvariantCulture, $"{Name}_count{Labels(series.Tags, null)} {series.Count}\n");
    }

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (Series series in _series)
            if (AreEqual(series.Tags, tags)) return series;
        if (_series.Count == MostSeries) return null;
        var added = new Series(tags.ToArray(), new long[_bounds?.Length ?? 0]);
        _series.Add(added);
        return added;
    }

    private static bool AreEqual(KeyValuePair<string, object?>[] first, ReadOnlySpan<KeyValuePair<string, object?>> second)
    {
        if (first.Length != second.Length) return false;
        for (int i = 0; i < first.Length; i++)
            if (first[i].Key != second[i].Key || !Equals(first[i].Value, second[i].Value)) return false;
        return true;
    }

    private sealed class Series(KeyValuePair<string, object?>[] tags, long[] buckets)
    {
        public KeyValuePair<string, object?>[] Tags { get; } = tags;

        public long[] Buckets { get; } = buckets;

        public double Sum { get; set; }

        public long Count { get; set; }
    }
}
