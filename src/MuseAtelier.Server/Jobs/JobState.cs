namespace MuseAtelier.Server.Jobs;

/// <summary>The state of a job.</summary>
internal enum JobState
{
    /// <summary>Waits in the queue.</summary>
    Waiting,

    /// <summary>Its model is being opened.</summary>
    Opening,

    /// <summary>Its pictures are being painted, or verified.</summary>
    Painting,

    /// <summary>All its pictures are finished.</summary>
    Done,

    /// <summary>A client stopped it, or removed it from the queue.</summary>
    Stopped,

    /// <summary>It failed; the job says why.</summary>
    Failed,
}
