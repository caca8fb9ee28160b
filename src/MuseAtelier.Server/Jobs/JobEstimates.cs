using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Jobs;

/// <summary>Estimates how long jobs take, with the models that are opened for them.</summary>
/// <param name="shelf">The models.</param>
/// <param name="times">The times of past pictures.</param>
internal sealed class JobEstimates(IModelShelf shelf, PaintTimes times)
{
    /// <summary>The jobs with their places and the seconds until each is finished; null where nothing is known.</summary>
    public IReadOnlyList<Job> Of(JobEntry? running, IReadOnlyList<JobEntry> waiting)
    {
        List<Job> jobs = [];
        double? before = 0;
        ShelfModel? model = shelf.Current;
        if (running is not null)
        {
            Job now = running.Now();
            ShelfModel? own = ModelOf(running);
            before = now.State is JobState.Opening or JobState.Painting ? LeftOf(running, now, own) : 0;
            jobs.Add(now with { SecondsLeft = now.State is JobState.Opening or JobState.Painting ? before : null });
            model = own ?? model;
        }

        for (int place = 0; place < waiting.Count; place++)
        {
            ShelfModel? own = ModelOf(waiting[place]);
            double? opening = own is null || own.Id == model?.Id ? 0 : shelf.SecondsToOpen(own);
            before = before + opening + All(waiting[place], own);
            jobs.Add(waiting[place].Now() with { Place = place, SecondsLeft = before });
            model = own ?? model;
        }

        return jobs;
    }

    /// <summary>One job with its place and the seconds until it is finished. An ended job has neither.</summary>
    public Job Of(JobEntry entry, JobQueue queue)
    {
        Job now = entry.Now();
        if (now.Ended is not null) return now;
        (JobEntry? running, JobEntry[] waiting, _) = queue.All();
        // The place of the running job needs no look at those that wait.
        return Of(running, entry == running ? [] : waiting).FirstOrDefault(job => job.Id == entry.Id) ?? entry.Now();
    }

    private ShelfModel? ModelOf(JobEntry entry) => entry.Request.Model is { } id ? shelf.Find(id) : shelf.Current;

    private double? All(JobEntry entry, ShelfModel? model)
    {
        int left = entry.Request.Count - entry.Job.Finished;
        return model is null ? null : times.Of(model.Id, entry.Request.Picture)?.Of(entry.Work) * left;
    }

    private double? LeftOf(JobEntry entry, Job now, ShelfModel? model)
    {
        if (model is null) return null;
        PaintTimes.Times? known = times.Of(model.Id, entry.Request.Picture);
        int left = entry.Request.Count - now.Finished;
        if (now.State == JobState.Opening)
        {
            double opened = now.Began is { } began ? (DateTimeOffset.UtcNow - began).TotalSeconds : 0;
            double? opening = shelf.SecondsToOpen(model);
            return (opening is { } seconds ? Math.Max(0, seconds - opened) : null) + (known?.Of(entry.Work) * left);
        }

        if (entry.Progress?.Present() is not { } present) return known?.Of(entry.Work) * left;
        double? step = present.Seconds ?? known?.UnitSeconds * entry.Work / Math.Max(1, now.Steps);
        double? whole = known?.Of(entry.Work) ?? (step * now.Steps);
        return (step * present.Left) + (known?.FixedSeconds ?? 0) + (whole * Math.Max(0, left - 1));
    }
}
