using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>The jobs that have not ended, as the entries of a journal tell them one after the other. Not safe for concurrent use.</summary>
internal sealed class JournalState
{
    private readonly List<JournaledJob> _jobs = [];

    /// <summary>The jobs in their order: one that began precedes those that wait.</summary>
    public IReadOnlyList<JournaledJob> Jobs => _jobs;

    /// <summary>Takes an entry. Entries about jobs that are not known have no effect.</summary>
    public void Apply(JournalEntry entry)
    {
        int at = _jobs.FindIndex(job => job.Id == entry.Id);
        if (entry.Event == JournalEvent.Accepted)
        {
            if (at < 0) _jobs.Add(new JournaledJob(entry.Id, entry.Accepted!.Value, entry.Request!));
            return;
        }

        if (at < 0) return;
        JournaledJob job = _jobs[at];
        switch (entry.Event)
        {
            case JournalEvent.Picture:
                job.Finished.Add(entry.Index!.Value);
                break;
            case JournalEvent.Ended:
                _jobs.RemoveAt(at);
                break;
            case JournalEvent.Started:
                _jobs.RemoveAt(at);
                _jobs.Insert(0, job);
                break;
            case JournalEvent.Moved:
                _jobs.RemoveAt(at);
                int before = entry.Before is null ? -1 : _jobs.FindIndex(other => other.Id == entry.Before);
                _jobs.Insert(before < 0 ? _jobs.Count : before, job);
                break;
        }
    }

    /// <summary>The fewest entries that tell the same.</summary>
    public IEnumerable<JournalEntry> Entries()
    {
        foreach (JournaledJob job in _jobs)
        {
            yield return new JournalEntry
            {
                Event = JournalEvent.Accepted,
                Id = job.Id,
                Accepted = job.Accepted,
                Request = job.Request,
            };
            foreach (int index in job.Finished)
                yield return new JournalEntry { Event = JournalEvent.Picture, Id = job.Id, Index = index };
        }
    }
}

/// <summary>A job that has not ended.</summary>
/// <param name="Id">The id.</param>
/// <param name="Accepted">When it was accepted.</param>
/// <param name="Request">The request.</param>
internal sealed record JournaledJob(string Id, DateTimeOffset Accepted, JobRequest Request)
{
    /// <summary>The indices of the pictures that are in the gallery.</summary>
    public SortedSet<int> Finished { get; } = [];
}
