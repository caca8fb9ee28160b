using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace MuseAtelier.Diagnostics;

/// <summary>
/// The instruments of one meter. Ateliers with the same meter share them. The observable ones report the ateliers that are open. A meter
/// belongs to its factory, or to the process, and is not disposed here.
/// </summary>
internal sealed class AtelierMeter
{
    private static readonly Lazy<AtelierMeter> OfTheProcess = new(() => new AtelierMeter(new Meter(AtelierTelemetry.MeterName, Version)));
    private static readonly ConditionalWeakTable<Meter, AtelierMeter> OfFactories = [];

    // Seconds that tell waiting requests, and phases and steps, apart.
    private static readonly InstrumentAdvice<double> Waits = new()
    {
        HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600],
    };

    private static readonly InstrumentAdvice<double> Work = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
    };

    private readonly Lock _gate = new();
    private AtelierMetrics[] _open = [];

    private AtelierMeter(Meter meter)
    {
        const string request = "{request}", bytes = "By", seconds = "s";
        QueueWaitTime = meter.CreateHistogram(
            AtelierTelemetry.QueueWaitTime, seconds, "Time from a request to its first work.", null, Waits);
        PhaseDuration = meter.CreateHistogram(AtelierTelemetry.PhaseDuration, seconds, "Time of a phase of a batch.", null, Work);
        StepDuration = meter.CreateHistogram(
            AtelierTelemetry.StepDuration, seconds, "Time of an evaluation of the UNet for a batch.", null, Work);
        LoraSwitchDuration = meter.CreateHistogram(
            AtelierTelemetry.LoraSwitchDuration, seconds, "Time of putting other LoRAs in force.", null, Work);
        MergedWeights = meter.CreateCounter<long>(
            AtelierTelemetry.MergedWeights, "{weight}", "Weights that were merged with LoRAs.");
        Pictures = meter.CreateCounter<long>(AtelierTelemetry.Pictures, "{picture}", "Pictures that were delivered.");
        Failures = meter.CreateCounter<long>(AtelierTelemetry.RequestFailures, request, "Accepted requests that failed.");
        Cancellations = meter.CreateCounter<long>(
            AtelierTelemetry.RequestCancellations, request, "Accepted requests that were cancelled.");
        Rejections = meter.CreateCounter<long>(
            AtelierTelemetry.RequestRejections, request, "Requests that were refused because the queue was full.");
        meter.CreateObservableUpDownCounter(
            AtelierTelemetry.QueueLength, () => Observe(static state => state.QueueLength), request, "Requests that wait.");
        meter.CreateObservableGauge(
            AtelierTelemetry.MemoryLimit, () => Observe(static state => state.BudgetBytes), bytes, "The budget of memory.");
        meter.CreateObservableGauge(
            AtelierTelemetry.MemoryUsage, () => Observe(static state => state.HeldBytes), bytes, "Memory that the process holds.");
    }

    /// <summary>The version of this library, which the meter and the activity source have.</summary>
    public static string Version { get; } = typeof(AtelierMeter).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>See <see cref="AtelierTelemetry.QueueWaitTime"/>.</summary>
    public Histogram<double> QueueWaitTime { get; }

    /// <summary>See <see cref="AtelierTelemetry.PhaseDuration"/>.</summary>
    public Histogram<double> PhaseDuration { get; }

    /// <summary>See <see cref="AtelierTelemetry.StepDuration"/>.</summary>
    public Histogram<double> StepDuration { get; }

    /// <summary>See <see cref="AtelierTelemetry.LoraSwitchDuration"/>.</summary>
    public Histogram<double> LoraSwitchDuration { get; }

    /// <summary>See <see cref="AtelierTelemetry.MergedWeights"/>.</summary>
    public Counter<long> MergedWeights { get; }

    /// <summary>See <see cref="AtelierTelemetry.Pictures"/>.</summary>
    public Counter<long> Pictures { get; }

    /// <summary>See <see cref="AtelierTelemetry.RequestFailures"/>.</summary>
    public Counter<long> Failures { get; }

    /// <summary>See <see cref="AtelierTelemetry.RequestCancellations"/>.</summary>
    public Counter<long> Cancellations { get; }

    /// <summary>See <see cref="AtelierTelemetry.RequestRejections"/>.</summary>
    public Counter<long> Rejections { get; }

    /// <summary>The instruments of the meter that a factory creates, or of the process's own meter.</summary>
    /// <param name="factory">The factory; null means the process's own meter.</param>
    public static AtelierMeter Of(IMeterFactory? factory)
    {
        if (factory is null) return OfTheProcess.Value;
        Meter meter = factory.Create(new MeterOptions(AtelierTelemetry.MeterName) { Version = Version });
        return OfFactories.GetValue(meter, static meter => new AtelierMeter(meter));
    }

    /// <summary>Reports an atelier from now on.</summary>
    public void Add(AtelierMetrics atelier)
    {
        lock (_gate) _open = [.. _open, atelier];
    }

    /// <summary>Reports an atelier no more.</summary>
    public void Remove(AtelierMetrics atelier)
    {
        lock (_gate) _open = [.. _open.Where(open => open != atelier)];
    }

    private List<Measurement<long>> Observe(Func<ObservedState, long?> choose)
    {
        List<Measurement<long>> values = [];
        foreach (AtelierMetrics atelier in Volatile.Read(ref _open))
            if (choose(atelier.State) is { } value) values.Add(new Measurement<long>(value, atelier.Tags));
        return values;
    }
}
