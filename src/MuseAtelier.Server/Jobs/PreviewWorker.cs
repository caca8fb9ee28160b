using System.Diagnostics;
using System.Threading.Channels;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Jobs;

/// <summary>
/// Encodes previews on one task of its own, at most four a second and only the newest one, while somebody watches. Without a watcher it
/// does nothing. Members may be called from any thread.
/// </summary>
internal sealed class PreviewWorker : IAsyncDisposable
{
    private const int Quality = 85;
    private const string MediaType = "image/jpeg";

    // A client that asked for a preview counts as a watcher for this long.
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<bool> _hasReaders;
    private readonly Action<JobEntry> _encoded;
    private readonly Task _working;
    private Offered? _offered;
    private long _asked = long.MinValue;

    /// <summary>Starts the task.</summary>
    /// <param name="hasReaders">Whether somebody reads the events.</param>
    /// <param name="encoded">Called when a job has a new preview.</param>
    public PreviewWorker(Func<bool> hasReaders, Action<JobEntry> encoded)
    {
        _hasReaders = hasReaders;
        _encoded = encoded;
        _working = Task.Run(WorkAsync);
    }

    private bool IsWatched
    {
        get
        {
            long asked = Volatile.Read(ref _asked);
            return _hasReaders() || (asked != long.MinValue && Stopwatch.GetElapsedTime(asked) < Interest);
        }
    }

    /// <summary>Takes a preview from the engine's thread: keeps a reference, and returns.</summary>
    public void Offer(JobEntry entry, LatentPreview preview)
    {
        Volatile.Write(ref _offered, new Offered(entry, preview, entry.Painted ?? 0));
        if (IsWatched) _signal.Writer.TryWrite(true);
    }

    /// <summary>Counts a client that asks for a preview as a watcher.</summary>
    public void Ask()
    {
        Volatile.Write(ref _asked, Stopwatch.GetTimestamp());
        if (Volatile.Read(ref _offered) is not null) _signal.Writer.TryWrite(true);
    }

    /// <summary>Encodes the preview that waits of a job that ended, whether somebody watches or not.</summary>
    /// <param name="entry">The job.</param>
    public void EncodeLast(JobEntry entry)
    {
        if (TakeOf(entry) is { } offered) Encode(offered);
    }

    /// <summary>Drops the preview that waits of a job that ended.</summary>
    public void Forget(JobEntry entry) => TakeOf(entry);

    /// <summary>Ends the task, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _working;
        _stopping.Dispose();
    }

    private Offered? TakeOf(JobEntry entry)
    {
        Offered? offered = Volatile.Read(ref _offered);
        if (offered?.Entry != entry) return null;
        return Interlocked.CompareExchange(ref _offered, null, offered) == offered ? offered : null;
    }

    private async Task WorkAsync()
    {
        try
        {
            while (await _signal.Reader.WaitToReadAsync(_stopping.Token))
            {
                _signal.Reader.TryRead(out _);
                if (Interlocked.Exchange(ref _offered, null) is not { } offered) continue;
                Encode(offered);
                await Task.Delay(Pause, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The server is stopping.
        }
    }

    private void Encode(Offered offered)
    {
        try
        {
            offered.Entry.Preview = new PreviewImage
            {
                Number = (offered.Entry.Preview?.Number ?? 0) + 1,
                File = offered.Preview.Encode(PictureFormat.Jpeg, Quality),
                MediaType = MediaType,
                Picture = offered.Picture,
            };
        }
        catch (Exception exception) when (exception is PictureFileException or OutOfMemoryException)
        {
            // The job goes on without this preview; the next one may succeed.
            return;
        }

        _encoded(offered.Entry);
    }

    private sealed record Offered(JobEntry Entry, LatentPreview Preview, int Picture);
}
