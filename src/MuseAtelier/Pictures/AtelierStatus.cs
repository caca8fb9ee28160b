namespace MuseAtelier;

/// <summary>The state of an atelier at one moment.</summary>
public sealed record AtelierStatus
{
    /// <summary>The number of requests that wait, without the one that is painted.</summary>
    public required int QueueLength { get; init; }

    /// <summary>The number of requests that may wait (<see cref="AtelierOptions.QueueCapacity"/>).</summary>
    public required int QueueCapacity { get; init; }

    /// <summary>Whether a batch is being painted.</summary>
    public required bool IsPainting { get; init; }

    /// <summary>Whether the atelier still accepts requests: neither disposed nor draining.</summary>
    public required bool AcceptsRequests { get; init; }

    /// <summary>
    /// The budget in bytes, of the memory that counts for the device: the one that the options declare, or the default that was found when
    /// the atelier was opened.
    /// </summary>
    public required long BudgetBytes { get; init; }

    /// <summary>
    /// Bytes that the process holds of that memory, as of the last measurement; null if <see cref="AtelierOptions.WatchMemory"/> is off, or
    /// if the device does not report it.
    /// </summary>
    public long? HeldBytes { get; init; }
}
