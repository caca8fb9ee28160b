using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace MuseAtelier.Tests.Diagnostics;

/// <summary>Keeps the measurements of one atelier, as an exporter sees them.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly string _atelier;
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Measured> _all = new();

    /// <param name="atelier">The name of the atelier.</param>
    public Measurements(string atelier)
    {
        _atelier = atelier;
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == AtelierTelemetry.MeterName) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyList<Measured> All => [.. _all];

    public Measured[] Of(string instrument) => [.. _all.Where(one => one.Instrument == instrument)];

    /// <summary>Reads the observable instruments, and returns what they report of the atelier.</summary>
    public Measured[] Observe(string instrument)
    {
        int before = Of(instrument).Length;
        _listener.RecordObservableInstruments();
        return Of(instrument)[before..];
    }

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Dictionary<string, object?> all = new(tags.ToArray());
        if (all.GetValueOrDefault(AtelierTelemetry.AtelierTag) as string == _atelier)
            _all.Enqueue(new Measured(instrument.Name, instrument.Unit, value, all));
    }
}

/// <summary>A measurement.</summary>
/// <param name="Instrument">The name of its instrument.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Value">The value.</param>
/// <param name="Tags">The tags.</param>
internal sealed record Measured(string Instrument, string? Unit, double Value, IReadOnlyDictionary<string, object?> Tags)
{
    public string? Tag(string name) => Tags.GetValueOrDefault(name) as string;
}
