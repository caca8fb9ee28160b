using System.Threading.Channels;
using MuseAtelier.Export.Storage;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>
/// The jobs that were accepted and have not ended, on disk. Entries are written by one task in the order in which they were appended; all
/// entries that wait together are flushed together. Members may be called from any thread.
/// </summary>
internal sealed class JobJournal : IAsyncDisposable
{
    // The file is written anew when it is larger than this and twice as large as after the last time.
    private const long SmallestCompaction = 8 << 20;

    private readonly Channel<Appended> _appended = Channel.CreateUnbounded<Appended>(new UnboundedChannelOptions { SingleReader = true });
    private readonly GalleryLock _lock;
    private readonly JournalState _state;
    private readonly string _path;
    private readonly Task _writing;
    private FileStream _stream;
    private long _length;
    private long _compactedLength;

    private JobJournal(GalleryLock held, JournalState state, string path)
    {
        _lock = held;
        _state = state;
        _path = path;
        _stream = Compact();
        Restored = [.. state.Jobs];
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>The jobs that had not ended when the journal was opened, in their order.</summary>
    public IReadOnlyList<JournaledJob> Restored { get; }

    /// <summary>Lines that could not be read when the journal was opened, without one that was torn at the end.</summary>
    public int DamagedLines { get; private init; }

    /// <summary>Opens the journal of a gallery, or begins one.</summary>
    /// <param name="gallery">The gallery's folder.</param>
    /// <exception cref="GalleryInUseException">Another server has the gallery.</exception>
    /// <exception cref="IOException">The journal can be neither read nor written.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not write it.</exception>
    public static JobJournal Open(string gallery)
    {
        string folder = Path.Combine(gallery, ".atelier");
        Directory.CreateDirectory(folder);
        GalleryLock held = GalleryLock.Take(gallery, folder);
        try
        {
            string path = Path.Combine(folder, "journal.jsonl");
            var state = new JournalState();
            int damaged = File.Exists(path) ? JournalText.Read(path, state.Apply) : 0;
            // A damaged line is no reason not to paint the others, but the file is kept for a look.
            if (damaged > 0) File.Copy(path, Path.Combine(folder, "journal.damaged.jsonl"), overwrite: true);
            return new JobJournal(held, state, path) { DamagedLines = damaged };
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Appends an entry. The task ends when it is on disk, and fails if it cannot be written.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task AppendAsync(JournalEntry entry)
    {
        var appended = new Appended(entry, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        ObjectDisposedException.ThrowIf(!_appended.Writer.TryWrite(appended), this);
        return appended.IsWritten.Task;
    }

    /// <summary>
    /// Appends an entry without waiting for it. If it cannot be written, the next start does a little too much: it looks for pictures that
    /// exist, or begins with a job that a client stopped.
    /// </summary>
    public void Append(JournalEntry entry)
    {
        var appended = new Appended(entry, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        // A failure has an observer, so that it is not reported as one that nobody saw.
        _ = appended.IsWritten.Task.ContinueWith(
            task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _appended.Writer.TryWrite(appended);
    }

    /// <summary>Writes what was appended, and releases the gallery.</summary>
    public async ValueTask DisposeAsync()
    {
        _appended.Writer.TryComplete();
        await _writing;
        await _stream.DisposeAsync();
        _lock.Dispose();
    }

    private async Task WriteAsync()
    {
        List<Appended> batch = [];
        while (await _appended.Reader.WaitToReadAsync())
        {
            while (_appended.Reader.TryRead(out Appended? appended)) batch.Add(appended);
            try
            {
                Write(batch);
                foreach (Appended appended in batch) appended.IsWritten.TrySetResult();
            }
            catch (Exception exception)
            {
                foreach (Appended appended in batch) appended.IsWritten.TrySetException(exception);
            }

            batch.Clear();
        }
    }

    private void Write(List<Appended> batch)
    {
        // A batch that failed may have left a part of itself.
        if (_stream.Length != _length) _stream.SetLength(_length);
        _stream.Position = _length;
        using (var lines = new MemoryStream())
        {
            foreach (Appended appended in batch) lines.Write(JournalText.Write(appended.Entry));
            _stream.Write(lines.GetBuffer().AsSpan(0, (int)lines.Length));
        }

        _stream.Flush(flushToDisk: true);
        _length = _stream.Position;
        foreach (Appended appended in batch) _state.Apply(appended.Entry);
        if (_length > Math.Max(SmallestCompaction, 2 * _compactedLength)) TryCompact();
    }

    // The file as it is serves as well, so that a failure only delays this.
    private void TryCompact()
    {
        try
        {
            FileStream compact = Compact();
            _stream.Dispose();
            _stream = compact;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _compactedLength = _length;
        }
    }

    // Writes beside, flushes and renames.
    private FileStream Compact()
    {
        string beside = _path + ".new";
        var stream = new FileStream(beside, FileMode.Create, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            foreach (JournalEntry entry in _state.Entries()) stream.Write(JournalText.Write(entry));
            stream.Flush(flushToDisk: true);
            File.Move(beside, _path, overwrite: true);
            DurableFolder.Flush(Path.GetDirectoryName(_path)!);
            _length = _compactedLength = stream.Length;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private sealed record Appended(JournalEntry Entry, TaskCompletionSource IsWritten);
}
