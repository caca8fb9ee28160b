namespace MuseAtelier.Runtime;

/// <summary>How a request waits.</summary>
internal sealed record QueueTerms
{
    /// <summary>The terms of the engine's own work, such as opening the model: it is never refused, and is not counted.</summary>
    public static QueueTerms Internal { get; } = new() { IsCounted = false, MayExceedCapacity = true };

    /// <summary>The priority.</summary>
    public GenerationPriority Priority { get; init; } = GenerationPriority.Normal;

    /// <summary>Whether the request counts in the length of the queue and against its capacity.</summary>
    public bool IsCounted { get; init; } = true;

    /// <summary>Whether the request is accepted by a full queue.</summary>
    public bool MayExceedCapacity { get; init; }

    /// <summary>
    /// Receives the number of requests that are before this one: first on the caller's thread, before the request is queued, then on
    /// threads of the pool. Calls never overlap each other or the request's function. Null if positions are not reported.
    /// </summary>
    public Action<int>? Moved { get; init; }
}
