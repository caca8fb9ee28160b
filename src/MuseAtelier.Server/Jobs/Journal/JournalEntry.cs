using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>A line of the journal: something that happened to a job.</summary>
internal sealed record JournalEntry
{
    /// <summary>What happened.</summary>
    public required JournalEvent Event { get; init; }

    /// <summary>The job's id.</summary>
    public required string Id { get; init; }

    /// <summary>When the job was accepted; only for <see cref="JournalEvent.Accepted"/>.</summary>
    public DateTimeOffset? Accepted { get; init; }

    /// <summary>The request; only for <see cref="JournalEvent.Accepted"/>.</summary>
    public JobRequest? Request { get; init; }

    /// <summary>The index of a finished picture; only for <see cref="JournalEvent.Picture"/>.</summary>
    public int? Index { get; init; }

    /// <summary>
    /// The id of the job before which a moved job now waits; null means the end. Only for <see cref="JournalEvent.Moved"/>.
    /// </summary>
    public string? Before { get; init; }
}

/// <summary>What happened to a job.</summary>
internal enum JournalEvent
{
    /// <summary>It was accepted, and waits behind all others.</summary>
    Accepted,

    /// <summary>It began: it precedes all that wait.</summary>
    Started,

    /// <summary>One of its pictures is in the gallery.</summary>
    Picture,

    /// <summary>It was moved among those that wait.</summary>
    Moved,

    /// <summary>It is done, stopped, removed or failed.</summary>
    Ended,
}
