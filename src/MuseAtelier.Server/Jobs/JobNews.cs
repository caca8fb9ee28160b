using System.Text.Json.Nodes;
using System.Threading.Channels;
using MuseAtelier.Server.Events;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Publishes what happens to jobs: changes at once, progress at most ten times a second. Every event shows the job as it is when it is
/// published, so that a later event is never older. Members may be called from any thread; <see cref="Progressed"/> returns at once.
/// </summary>
internal sealed class JobNews : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Channel<bool> _progress = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly EventHub _events;
    private readonly JobQueue _queue;
    private readonly JobEstimates _estimates;
    private readonly Task _publishing;

    /// <summary>Starts the task that publishes progress.</summary>
    public JobNews(EventHub events, JobQueue queue, JobEstimates estimates)
    {
        _events = events;
        _queue = queue;
        _estimates = estimates;
        _publishing = Task.Run(PublishProgressAsync);
    }

    /// <summary>Notes that the engine has reported progress of the running job.</summary>
    public void Progressed() => _progress.Writer.TryWrite(true);

    /// <summary>Publishes a job that has changed.</summary>
    public void Changed(JobEntry entry)
    {
        if (!_events.HasReaders) return;
        lock (_gate)
        {
            Job job = _estimates.Of(entry, _queue);
            _events.Publish("job", job.Id, JobJson.Write(job));
        }
    }

    /// <summary>Publishes the order of the jobs that wait, from which follow their places.</summary>
    public void QueueChanged()
    {
        if (!_events.HasReaders) return;
        lock (_gate)
        {
            JobEntry[] waiting = _queue.All().Waiting;
            _events.Publish("queue", "", new JsonObject { ["ids"] = new JsonArray([.. waiting.Select(entry => (JsonNode)entry.Id)]) });
        }
    }

    /// <summary>Publishes that a job has a new preview.</summary>
    public void PreviewMade(JobEntry entry)
    {
        if (entry.Preview is not { } preview) return;
        _events.Publish("preview", entry.Id, new JsonObject { ["job"] = entry.Id, ["number"] = preview.Number });
    }

    /// <summary>Ends the task, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _publishing;
        _stopping.Dispose();
    }

    private async Task PublishProgressAsync()
    {
        try
        {
            while (await _progress.Reader.WaitToReadAsync(_stopping.Token))
            {
                _progress.Reader.TryRead(out _);
                if (_queue.Running is { } running) Changed(running);
                await Task.Delay(Pause, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The server is stopping.
        }
    }
}
