using System.Diagnostics.CodeAnalysis;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>A job in the queue, and everything that belongs to it while it is there. Safe for concurrent use.</summary>
/// <param name="job">The job as it was accepted.</param>
/// <param name="isJournaled">Whether the journal has it.</param>
[SuppressMessage(
    "Reliability",
    "CA1001:Types that own disposable fields should be disposable",
    Justification = "The source has no timer and no handle, and a client may stop a job that has just ended.")]
internal sealed class JobEntry(Job job, bool isJournaled)
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TaskCompletionSource<Job> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Job _job = job;
    private int _stop;

    /// <summary>The id.</summary>
    public string Id { get; } = job.Id;

    /// <summary>The request.</summary>
    public JobRequest Request { get; } = job.Request;

    /// <summary>Whether the journal has it.</summary>
    public bool IsJournaled { get; } = isJournaled;

    /// <summary>The work of one picture, as <see cref="PaintTimes.WorkOf"/> counts it.</summary>
    public double Work { get; } = PaintTimes.WorkOf(job.Request.Picture);

    /// <summary>Receives finished pictures; null if nobody waits for them.</summary>
    public Func<FinishedPicture, Task>? Finished { get; init; }

    /// <summary>The indices of pictures that were finished before the server was started again.</summary>
    public IReadOnlySet<int> Restored { get; init; } = new HashSet<int>();

    /// <summary>Receives the engine's reports.</summary>
    public JobProgress? Progress { get; set; }

    /// <summary>The index of the picture that is being painted; null if none is.</summary>
    public int? Painted { get; set; }

    /// <summary>The newest preview.</summary>
    public PreviewImage? Preview { get; set; }

    /// <summary>The job without its progress.</summary>
    public Job Job => Volatile.Read(ref _job);

    /// <summary>Ends the work on the job.</summary>
    public CancellationToken Cancelled => _cancellation.Token;

    /// <summary>Whether a client stopped the job.</summary>
    public bool IsStoppedByClient => Volatile.Read(ref _stop) == 1;

    /// <summary>Ends with the job; fails or is cancelled as the job was, for a client that waits for it.</summary>
    public Task<Job> Ended => _ended.Task;

    /// <summary>The job at this moment, with its progress.</summary>
    public Job Now()
    {
        Job job = Job with { Preview = Preview?.Number ?? 0 };
        return job.State == JobState.Painting && Progress is { } progress ? progress.AddTo(job) : job;
    }

    /// <summary>Replaces the job.</summary>
    public Job Change(Func<Job, Job> change)
    {
        while (true)
        {
            Job before = Job;
            Job after = change(before);
            if (ReferenceEquals(Interlocked.CompareExchange(ref _job, after, before), before)) return after;
        }
    }

    /// <summary>Ends the work on the job.</summary>
    /// <param name="byClient">Whether a client asked for it; else the server is stopping.</param>
    public void Stop(bool byClient)
    {
        if (byClient) Interlocked.CompareExchange(ref _stop, 1, 0);
        _cancellation.Cancel();
    }

    /// <summary>Tells those who wait for the job how it ended.</summary>
    public void End(ServerRequestException? failure = null)
    {
        Job job = Job;
        if (failure is not null) _ended.TrySetException(failure);
        else if (job.State == JobState.Done) _ended.TrySetResult(job);
        else _ended.TrySetCanceled();
        // Nobody may wait.
        _ = _ended.Task.Exception;
    }
}
