using System.Diagnostics.Metrics;
using System.Text;
using MuseAtelier.Server.Security;

namespace MuseAtelier.Server.Health;

/// <summary>Keeps what the meters of the engine and of this server report, for Prometheus.</summary>
internal sealed class MetricReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private MetricFamily[] _families = [];

    /// <summary>Starts to listen.</summary>
    /// <param name="meters">The server's factory. Meters of other factories belong to other parts of the process.</param>
    public MetricReader(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            bool isOurs = instrument.Meter.Name is AtelierTelemetry.MeterName or RequestCount.MeterName;
            if (!isOurs || !ReferenceEquals(instrument.Meter.Scope, meters)) return;
            var family = new MetricFamily(instrument);
            lock (_gate) _families = [.. _families, family];
            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>All values in Prometheus' text format.</summary>
    public string Read()
    {
        MetricFamily[] families;
        // Two readers at the same time would remove each other's observed values.
        lock (_gate)
        {
            families = _families;
            foreach (MetricFamily family in families)
                if (family.IsObserved) family.Clear();
            _listener.RecordObservableInstruments();
        }

        var text = new StringBuilder();
        foreach (MetricFamily family in families.OrderBy(family => family.Name, StringComparer.Ordinal)) family.Write(text);
        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
