using System.Diagnostics.Metrics;

namespace MuseAtelier.Diagnostics;

/// <summary>Records the measurements of one atelier. Allocates nothing managed, except for failures.</summary>
internal sealed class AtelierMetrics : IDisposable
{
    private readonly AtelierMeter _meter;
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly KeyValuePair<string, object?>[][] _phaseTags;
    private Func<ObservedState>? _observe;

    /// <param name="factory">Creates the meter; null means the process's own.</param>
    /// <param name="name">The name of the atelier.</param>
    /// <param name="device">The kind of device.</param>
    public AtelierMetrics(IMeterFactory? factory, string name, string device)
    {
        _meter = AtelierMeter.Of(factory);
        _tags = [new(AtelierTelemetry.AtelierTag, name), new(AtelierTelemetry.DeviceTag, device)];
        _phaseTags = [.. Enum.GetValues<PlanPhase>().Select(PhaseTags)];
    }

    /// <summary>The tags of every measurement.</summary>
    public ReadOnlySpan<KeyValuePair<string, object?>> Tags => _tags;

    /// <summary>The values of the observable instruments now.</summary>
    public ObservedState State => _observe!();

    /// <summary>Begins to report the observable instruments.</summary>
    /// <param name="observe">Reads their values; called on any thread until this object is disposed.</param>
    public void Observe(Func<ObservedState> observe)
    {
        _observe = observe;
        _meter.Add(this);
    }

    /// <summary>Records the time that a request waited.</summary>
    public void Waited(TimeSpan time)
    {
        if (_meter.QueueWaitTime.Enabled) _meter.QueueWaitTime.Record(time.TotalSeconds, _tags);
    }

    /// <summary>Records the time of a phase.</summary>
    public void PhaseEnded(PlanPhase phase, TimeSpan time)
    {
        if (_meter.PhaseDuration.Enabled) _meter.PhaseDuration.Record(time.TotalSeconds, _phaseTags[(int)phase]);
    }

    /// <summary>Records the time of an evaluation.</summary>
    public void StepEnded(TimeSpan time)
    {
        if (_meter.StepDuration.Enabled) _meter.StepDuration.Record(time.TotalSeconds, _tags);
    }

    /// <summary>Records the time of putting other LoRAs in force.</summary>
    public void LorasSwitched(TimeSpan time)
    {
        if (_meter.LoraSwitchDuration.Enabled) _meter.LoraSwitchDuration.Record(time.TotalSeconds, _tags);
    }

    /// <summary>Counts weights that were merged with LoRAs.</summary>
    public void WeightsMerged(long count)
    {
        if (_meter.MergedWeights.Enabled) _meter.MergedWeights.Add(count, _tags);
    }

    /// <summary>Counts a picture.</summary>
    public void PictureDelivered()
    {
        if (_meter.Pictures.Enabled) _meter.Pictures.Add(1, _tags);
    }

    /// <summary>Counts a request that failed.</summary>
    /// <param name="errorType">The full name of the exception's type.</param>
    public void Failed(string errorType)
    {
        if (_meter.Failures.Enabled) _meter.Failures.Add(1, [.. _tags, new(AtelierTelemetry.ErrorTypeTag, errorType)]);
    }

    /// <summary>Counts a request that was cancelled.</summary>
    public void Cancelled()
    {
        if (_meter.Cancellations.Enabled) _meter.Cancellations.Add(1, _tags);
    }

    /// <summary>Counts a request that was refused because the queue was full.</summary>
    public void Rejected()
    {
        if (_meter.Rejections.Enabled) _meter.Rejections.Add(1, _tags);
    }

    /// <summary>Ends the reports of the observable instruments.</summary>
    public void Dispose() => _meter.Remove(this);

    private KeyValuePair<string, object?>[] PhaseTags(PlanPhase phase)
    {
        string name = phase switch
        {
            PlanPhase.Text => "text",
            PlanPhase.Conditioning => "conditioning",
            PlanPhase.Encoding => "encoding",
            PlanPhase.Denoising => "denoising",
            PlanPhase.Decoding => "decoding",
            _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
        };
        return [.. _tags, new(AtelierTelemetry.PhaseTag, name)];
    }
}
