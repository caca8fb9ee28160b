namespace MuseAtelier;

/// <summary>A request was refused, because as many requests wait as may.</summary>
/// <param name="capacity">The number of requests that may wait.</param>
public sealed class QueueFullException(int capacity) : MuseAtelierException(
    $"{capacity} requests wait",
    $"fewer than the {capacity} of {nameof(AtelierOptions)}.{nameof(AtelierOptions.QueueCapacity)}",
    "Try again when a picture is finished, or raise the capacity.")
{
    /// <summary>The number of requests that may wait.</summary>
    public int Capacity { get; } = capacity;
}
