using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Server.Gallery;

/// <summary>
/// A gallery over a folder. It reads the folder once in the background after the start, and from then on whenever a list is asked for and
/// the folder has changed.
/// </summary>
internal sealed class FolderGallery : IGallery, IHostedService, IDisposable
{
    // How long a list waits for a scan. The newest pictures are read first, so what is missing then lies far behind.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    // Files that are overwritten in place do not change the folder.
    private static readonly TimeSpan OldestScan = TimeSpan.FromSeconds(30);

    // A folder that changed so shortly before a scan may have changed during it as well, without another time.
    private static readonly TimeSpan UnsettledTime = TimeSpan.FromMilliseconds(100);

    private readonly GalleryFolders _folders;
    private readonly GalleryIndex _index = new();
    private readonly GalleryReader _reader = new();
    private readonly GalleryScanner _scanner;
    private readonly GalleryTrash _trash;
    private readonly IndexCache _cache;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private Task _scan = Task.CompletedTask;
    private bool _hasScanned;
    private bool _isCacheOld;
    private DateTime _scannedFolderTime;
    private long _scanned;

    /// <summary>Creates the gallery; the folder is neither read nor created before the server starts.</summary>
    /// <param name="folders">The folders.</param>
    public FolderGallery(GalleryFolders folders)
    {
        _folders = folders;
        _scanner = new GalleryScanner(folders, _index, _reader);
        _scanner.Found += picture => Added?.Invoke(picture);
        _scanner.Gone += id => Removed?.Invoke(id);
        _trash = new GalleryTrash(folders);
        _cache = new IndexCache(folders, _reader);
    }

    /// <summary>Raised on any thread after a picture was added or restored; handlers return quickly and throw nothing.</summary>
    public event Action<GalleryPicture>? Added;

    /// <summary>Raised on any thread with the id after a picture was removed; handlers return quickly and throw nothing.</summary>
    public event Action<string>? Removed;

    /// <inheritdoc/>
    public string Folder => _folders.Gallery;

    /// <summary>The number of pictures that are known. Soon after the start, older ones may be missing.</summary>
    public int Count => _index.Count;

    /// <summary>Creates the folders and begins to read them.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _folders.Create();
        _ = Refresh();
        return Task.CompletedTask;
    }

    /// <summary>Ends the reading and writes the cache of the index.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Task scan;
        lock (_lock) scan = _scan;
        await scan.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_hasScanned && _isCacheOld) _cache.Write(_index.NewestFirst());
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    /// <summary>The newest pictures that are known, newest first.</summary>
    /// <param name="most">The most pictures.</param>
    public IReadOnlyList<GalleryPicture> Newest(int most)
    {
        GalleryPicture[] all = _index.NewestFirst();
        return all.Length <= most ? all : all[..most];
    }

    /// <summary>Lists pictures, newest first, after changes by other programs were noticed.</summary>
    /// <param name="query">Which pictures.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<GalleryPage> ListAsync(GalleryQuery query, CancellationToken cancellationToken)
    {
        Task scan = Refresh();
        if (!scan.IsCompleted)
            await Task.WhenAny(scan, Task.Delay(LongestWait, cancellationToken)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return _index.Page(query);
    }

    /// <inheritdoc/>
    public string NameOf(string jobId, DateTimeOffset accepted, int index, PictureFormat format) =>
        GalleryNames.NameOf(jobId, accepted, index, format);

    /// <inheritdoc/>
    public bool Has(string name) =>
        GalleryNames.IsSafe(name) && (File.Exists(Path.Combine(Folder, name)) || _trash.Has(GalleryNames.IdOf(name)));

    /// <inheritdoc/>
    public Task<GalleryPicture> AddAsync(string name, ReadOnlyMemory<byte> file, CancellationToken cancellationToken)
    {
        if (!GalleryNames.IsSafe(name) || GalleryNames.FormatOf(name) is null)
            throw new ArgumentException($"'{name}' is no name of a picture in the gallery", nameof(name));
        return Task.Run(() => Add(name, file), cancellationToken);
    }

    /// <inheritdoc/>
    public GalleryPicture? Find(string id)
    {
        if (_index.Find(id) is { } picture) return picture;
        // Not read yet, or written by another program since the last scan.
        if (!GalleryNames.IsSafe(id)) return null;
        var file = new FileInfo(Path.Combine(Folder, id));
        return file.Exists ? _scanner.Look(file) : null;
    }

    /// <inheritdoc/>
    public string? PathOf(string id)
    {
        if (Find(id) is not { } picture) return null;
        string path = Path.Combine(Folder, picture.FileName);
        return GalleryFolders.IsRegular(path) ? path : null;
    }

    /// <summary>Moves a picture to the trash, where it stays for <see cref="GalleryTrash.Days"/> days.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ServerRequestException">The system refuses to move it.</exception>
    public Task<bool> RemoveAsync(string id) => Task.Run(() =>
    {
        if (PathOf(id) is not { } path) return false;
        Guard(() => _trash.Take(path, DateTimeOffset.UtcNow));
        _isCacheOld = true;
        // It raises the event, because the file is gone.
        _scanner.Forget(Path.GetFileName(path));
        return true;
    });

    /// <summary>Takes a picture back from the trash.</summary>
    /// <returns>The picture, also if it was in the gallery all along; null if it is in neither.</returns>
    /// <exception cref="ServerRequestException">The system refuses to move it.</exception>
    public Task<GalleryPicture?> RestoreAsync(string id) => Task.Run(() =>
    {
        if (Find(id) is { } present) return present;
        string? path = null;
        Guard(() => path = _trash.Return(id));
        if (path is null || _scanner.Look(new FileInfo(path)) is not { } picture) return null;
        _isCacheOld = true;
        Added?.Invoke(picture);
        return picture;
    });

    private static void Guard(Action move)
    {
        try
        {
            move();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw GalleryProblems.NotMoved(exception);
        }
    }

    private GalleryPicture Add(string name, ReadOnlyMemory<byte> content)
    {
        string path = Path.Combine(Folder, name);
        bool isNew = true;
        try
        {
            AtomicFile.Write(path, content.Span, overwrite: false, mode: null);
        }
        catch (IOException) when (File.Exists(path))
        {
            isNew = false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PictureNotWrittenException(path, exception);
        }

        // A file that was there before may have other content.
        var file = new FileInfo(path);
        GalleryPicture? known = isNew ? _scanner.Look(file, content) : _scanner.Look(file);
        if (known is not { } picture) throw new NotAPictureException(path);
        _isCacheOld = true;
        if (isNew) Added?.Invoke(picture);
        return picture;
    }

    // The scan that runs, or a new one if the folder has changed since the last one, or a finished task.
    private Task Refresh()
    {
        lock (_lock)
        {
            if (!_scan.IsCompleted || _stopping.IsCancellationRequested) return _scan;
            if (_hasScanned && !IsFolderChanged()) return _scan;
            return _scan = Task.Run(Scan);
        }
    }

    private bool IsFolderChanged() =>
        Stopwatch.GetElapsedTime(_scanned) > OldestScan || FolderTime() is not { } time || time != _scannedFolderTime;

    private DateTime? FolderTime()
    {
        DateTime time = Directory.GetLastWriteTimeUtc(Folder);
        return DateTime.UtcNow - time < UnsettledTime ? null : time;
    }

    private void Scan()
    {
        DateTime time = FolderTime() ?? default;
        try
        {
            bool isFirst = !_hasScanned;
            if (isFirst) _trash.Purge(DateTimeOffset.UtcNow);
            int changes = _scanner.Scan(isFirst ? _cache.Read() : null, _stopping.Token);
            _hasScanned = true;
            if (isFirst && changes > 0) _cache.Write(_index.NewestFirst());
            else if (changes > 0) _isCacheOld = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // The folder is away or the server stops. What is known stays; the next list tries again.
            time = default;
        }

        _scannedFolderTime = time;
        _scanned = Stopwatch.GetTimestamp();
    }
}
