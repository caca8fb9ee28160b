using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Events;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs.Journal;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// The queue of all clients and the task that runs it, one job at a time. It begins with the jobs of the journal when the server starts.
/// When the server stops, the running job ends within a step and stays in the journal, as do those that wait.
/// </summary>
internal sealed partial class JobBoard : IJobBoard, IHostedService, IAsyncDisposable
{
    private readonly JobIds _ids = new();
    private readonly PaintTimes _times = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly JobQueue _queue;
    private readonly IGallery _gallery;
    private readonly JobSources _sources;
    private readonly AtelierOptions _options;
    private readonly IModelShelf _shelf;
    private readonly ILogger _log;
    private readonly JobEstimates _estimates;
    private readonly JobNews _news;
    private readonly PreviewWorker _previews;
    private JobJournal? _journal;
    private Task _running = Task.CompletedTask;
    private int _isDisposed;

    /// <summary>Creates the board; <see cref="StartAsync"/> opens the journal.</summary>
    public JobBoard(
        ServerOptions options,
        IGallery gallery,
        JobSources sources,
        IModelShelf shelf,
        EventHub events,
        IHostApplicationLifetime lifetime,
        ILoggerFactory logs)
    {
        _gallery = gallery;
        _sources = sources;
        _options = options.Atelier;
        _shelf = shelf;
        _log = logs.CreateLogger<JobBoard>();
        _queue = new JobQueue(options.Limits.WaitingJobs);
        _estimates = new JobEstimates(shelf, _times);
        _news = new JobNews(events, _queue, _estimates);
        _previews = new PreviewWorker(() => events.HasReaders, _news.PreviewMade);
        // Requests that wait for pictures must end before the listener does.
        lifetime.ApplicationStopping.Register(BeginStop);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Job> Jobs
    {
        get
        {
            (JobEntry? running, JobEntry[] waiting, JobEntry[] ended) = _queue.All();
            return [.. _estimates.Of(running, waiting), .. ended.Select(entry => entry.Now())];
        }
    }

    private JobJournal Journal => _journal ?? throw new InvalidOperationException("The server has not started.");

    /// <inheritdoc/>
    public Job? Find(string id) => _queue.Find(id) is { } entry ? _estimates.Of(entry, _queue) : null;

    /// <inheritdoc/>
    public async Task<Job> AcceptAsync(JobRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Task written = Task.CompletedTask;
        // The journal's order is that of the queue, because both are set while nothing else is added.
        JobEntry entry = Add(request, isJournaled: true, finished: null, added => written = Journal.AppendAsync(new JournalEntry
        {
            Event = JournalEvent.Accepted,
            Id = added.Id,
            Accepted = added.Job.Accepted,
            Request = request,
        }));
        try
        {
            await written;
        }
        catch (Exception exception)
        {
            // It may have begun, but nobody was told of it.
            entry.Stop(byClient: true);
            _queue.Forget(entry);
            _news.QueueChanged();
            throw Problems.Of(exception);
        }

        _news.Changed(entry);
        _news.QueueChanged();
        return Find(entry.Id) ?? entry.Now();
    }

    /// <inheritdoc/>
    public async Task<Job> RunAsync(
        JobRequest request, Action<Job>? accepted, Func<FinishedPicture, Task> finished, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        JobEntry entry = Add(request, isJournaled: false, finished, added: null);
        await using (cancellationToken.Register(() => _ = StopAsync(entry, isWaitedFor: false)))
        {
            _news.Changed(entry);
            _news.QueueChanged();
            accepted?.Invoke(Find(entry.Id) ?? entry.Now());
            return await entry.Ended;
        }
    }

    /// <inheritdoc/>
    public async Task<Job?> StopAsync(string id) => _queue.Find(id) is { } entry ? await StopAsync(entry, isWaitedFor: true) : null;

    /// <inheritdoc/>
    public Task<Job?> MoveAsync(string id, int place)
    {
        Task written = Task.CompletedTask;
        JobEntry? entry = _queue.Move(id, place, (moved, next) =>
        {
            if (!moved.IsJournaled) return;
            written = Journal.AppendAsync(new JournalEntry { Event = JournalEvent.Moved, Id = moved.Id, Before = next?.Id });
        });
        return entry is null ? Task.FromResult<Job?>(null) : AfterAsync();

        async Task<Job?> AfterAsync()
        {
            _news.QueueChanged();
            await GuardAsync(written);
            return Find(id);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Job>> ClearAsync()
    {
        IReadOnlyList<JobEntry> removed = _queue.RemoveAll(entry => entry.IsJournaled);
        if (removed.Count == 0) return [];
        Task[] written = [.. removed.Select(EndWaiting)];
        _news.QueueChanged();
        await GuardAsync(Task.WhenAll(written));
        return [.. removed.Select(entry => entry.Now())];
    }

    /// <inheritdoc/>
    public PreviewImage? Preview(string id)
    {
        if (_queue.Find(id) is not { } entry) return null;
        if (entry == _queue.Running) _previews.Ask();
        return entry.Preview;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _journal = JobJournal.Open(_gallery.Folder);
        if (_journal.DamagedLines > 0) LogDamaged(_log, _journal.DamagedLines);
        foreach (JournaledJob job in _journal.Restored) Restore(job);
        _sources.CleanUp(UploadsOfJobs);
        if (_journal.Restored.Count > 0) LogRestored(_log, _journal.Restored.Count);
        _running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        BeginStop();
        await _running.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the tasks, writes the journal and releases the gallery.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        BeginStop();
        await _running;
        await _previews.DisposeAsync();
        await _news.DisposeAsync();
        if (_journal is not null) await _journal.DisposeAsync();
    }

    private static async Task GuardAsync(Task written)
    {
        try
        {
            await written;
        }
        catch (Exception exception)
        {
            throw Problems.Of(exception);
        }
    }

    private static ServerRequestException Stopping() =>
        Problems.Make(409, "stopping", "The server is stopping. Try again when it runs; jobs that were accepted are kept.");

    private JobEntry Add(JobRequest request, bool isJournaled, Func<FinishedPicture, Task>? finished, Action<JobEntry>? added)
    {
        if (_stopping.IsCancellationRequested) throw Stopping();
        RequireModel(request.Model);
        JobEntry? entry = _queue.TryAdd(() =>
        {
            DateTimeOffset now = DateTimeOffset.UtcNow;
            var job = new Job { Id = _ids.Next(now), Request = request, State = JobState.Waiting, Accepted = now };
            var made = new JobEntry(job, isJournaled) { Finished = finished };
            added?.Invoke(made);
            return made;
        });
        if (entry is null)
            throw Problems.Make(429, "queue-full", "As many jobs wait as may. Try again when one is finished, or remove one that waits.");
        // The server may have begun to stop since, and then nobody would end a job whose client waits.
        if (_stopping.IsCancellationRequested && !isJournaled) EndUnjournaled();
        return entry;
    }

    private void RequireModel(string? text)
    {
        ShelfModel? model = text is null ? _shelf.Current : _shelf.Find(text);
        if (model is not null) return;
        IReadOnlyList<string> ids = [.. _shelf.Models.Select(known => known.Id)];
        string found = text is null ? "there is no model" : "there is no model of that name";
        string expected = ids.Count == 0 ? "at least one" : $"one of {string.Join(", ", ids)}";
        string question = text is null ? "" : NearestNames.Question(NearestNames.Of(text, ids));
        throw Problems.Make(
            404,
            "no-such-model",
            $"{found}; expected {expected}. {(question.Length > 0 ? question : "Choose one of these, or leave model out.")}",
            inner: null,
            "model");
    }

    private IEnumerable<string> UploadsOfJobs()
    {
        (JobEntry? running, JobEntry[] waiting, _) = _queue.All();
        IEnumerable<JobEntry> all = running is null ? waiting : waiting.Append(running);
        return all.SelectMany(entry => entry.Request.Uploads.Ids());
    }

    private void Restore(JournaledJob kept)
    {
        _ids.Follow(kept.Id);
        string[] names = [.. Enumerable.Range(0, kept.Request.Count).Select(NameOf)];
        HashSet<int> finished = kept.Request.Verifies is null
            ? [.. Enumerable.Range(0, names.Length).Where(index => kept.Finished.Contains(index) || _gallery.Has(names[index]))]
            : [];
        var job = new Job
        {
            Id = kept.Id,
            Request = kept.Request,
            State = JobState.Waiting,
            Accepted = kept.Accepted,
            Finished = finished.Count,
            Pictures = [.. finished.Order().Select(index => _gallery.Find(names[index])?.Id).OfType<string>()],
        };
        bool isDone = finished.Count == kept.Request.Count;
        if (isDone) job = job with { State = JobState.Done, Ended = DateTimeOffset.UtcNow };
        var entry = new JobEntry(job, isJournaled: true) { Restored = finished };
        if (!isDone)
        {
            _queue.Restore(entry);
            return;
        }

        _queue.AddEnded(entry);
        Journal.Append(new JournalEntry { Event = JournalEvent.Ended, Id = kept.Id });

        string NameOf(int index) => _gallery.NameOf(kept.Id, kept.Accepted, index, kept.Request.Format);
    }

    private async Task RunAsync()
    {
        var painter = new JobPainter(_gallery, _sources, Journal, _times, _news.Changed);
        var runner = new JobRunner(_options, _shelf, _gallery, painter, _news.Changed, _log);
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                JobEntry entry = await _queue.BeginNextAsync(_stopping.Token);
                await RunAsync(runner, entry);
            }
        }
        catch (OperationCanceledException)
        {
            // The server is stopping.
        }
    }

    private async Task RunAsync(JobRunner runner, JobEntry entry)
    {
        entry.Progress = new JobProgress(entry, _previews, _news.Progressed);
        entry.Change(job => job with { Began = DateTimeOffset.UtcNow });
        if (entry.IsJournaled) Journal.Append(new JournalEntry { Event = JournalEvent.Started, Id = entry.Id });
        _news.Changed(entry);
        _news.QueueChanged();
        ServerRequestException? failure;
        try
        {
            // Between the queue and here, the server may have begun to stop.
            if (_stopping.IsCancellationRequested) entry.Stop(byClient: false);
            failure = await runner.RunAsync(entry);
        }
        catch (OperationCanceledException)
        {
            // The journal keeps the job for the next start; a client that waits for it is told.
            entry.End(Stopping());
            return;
        }

        if (entry.Job.State == JobState.Stopped) await KeepStudyAsync(entry);
        if (entry.IsJournaled) Journal.Append(new JournalEntry { Event = JournalEvent.Ended, Id = entry.Id });
        _queue.EndRunning(entry);
        _previews.Forget(entry);
        _news.Changed(entry);
        entry.End(failure);
    }

    // What a stopped picture looked like last stays in the gallery: stopping loses nothing that was seen.
    private async Task KeepStudyAsync(JobEntry entry)
    {
        if (!entry.IsJournaled || !entry.Request.IsKept || entry.Painted is not { } index) return;
        _previews.EncodeLast(entry);
        if (entry.Preview is not { } preview || preview.Picture != index) return;
        try
        {
            string name = GalleryNames.StudyOf(entry.Id, entry.Job.Accepted, index);
            await _gallery.AddAsync(name, preview.File, CancellationToken.None);
        }
        catch (PictureFileException exception)
        {
            LogStudy(_log, entry.Id, exception);
        }
    }

    private async Task<Job?> StopAsync(JobEntry entry, bool isWaitedFor)
    {
        if (_queue.TryRemove(entry))
        {
            Task written = EndWaiting(entry);
            _news.QueueChanged();
            if (isWaitedFor) await GuardAsync(written);
            return entry.Now();
        }

        if (entry.Job.State is JobState.Done or JobState.Stopped or JobState.Failed) return entry.Now();
        entry.Stop(byClient: true);
        // Opening a model may take seconds to end, and the page is told before.
        if (entry.IsStoppedByClient && entry.Job.State == JobState.Opening)
        {
            entry.Change(job => job.State == JobState.Opening ? job with { State = JobState.Stopped, Ended = DateTimeOffset.UtcNow } : job);
            _news.Changed(entry);
        }

        if (isWaitedFor) await Task.WhenAny(entry.Ended, Task.Delay(TimeSpan.FromSeconds(5)));
        return Find(entry.Id);
    }

    // A waiting job that a client removed.
    private Task EndWaiting(JobEntry entry)
    {
        entry.Change(job => job with { State = JobState.Stopped, Ended = DateTimeOffset.UtcNow });
        entry.Stop(byClient: true);
        entry.End();
        _news.Changed(entry);
        return entry.IsJournaled
            ? Journal.AppendAsync(new JournalEntry { Event = JournalEvent.Ended, Id = entry.Id })
            : Task.CompletedTask;
    }

    private void BeginStop()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        _queue.Running?.Stop(byClient: false);
        EndUnjournaled();
    }

    private void EndUnjournaled()
    {
        foreach (JobEntry entry in _queue.RemoveAll(waiting => !waiting.IsJournaled)) entry.End(Stopping());
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last preview of the stopped job {Id} could not be kept")]
    private static partial void LogStudy(ILogger log, string id, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The journal has {Count} jobs that have not ended; they go on")]
    private static partial void LogRestored(ILogger log, int count);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} lines of the journal could not be read, and were left out; journal.damaged.jsonl beside it keeps them")]
    private static partial void LogDamaged(ILogger log, int count);
}
