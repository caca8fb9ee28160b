using System.Globalization;
using System.Text;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Server.Gallery;

/// <summary>
/// Thumbnails, made when they are first asked for, one at a time, and kept in a folder of bounded size. Members may be called from any
/// thread.
/// </summary>
internal sealed class ThumbnailStore : IDisposable
{
    private const string Extension = ".webp";
    private const int KeyDigits = 32;

    // Some ten thousand thumbnails.
    private const long DefaultMostBytes = 256L << 20;

    private readonly GalleryFolders _folders;
    private readonly long _mostBytes;
    private readonly SemaphoreSlim _making = new(1);
    private long? _bytes;

    /// <summary>Creates the store; the folder is read when the first thumbnail is made.</summary>
    /// <param name="folders">The folders of the gallery.</param>
    /// <param name="mostBytes">The bytes of all thumbnails, from which on the oldest ones are deleted.</param>
    public ThumbnailStore(GalleryFolders folders, long mostBytes = DefaultMostBytes)
    {
        _folders = folders;
        _mostBytes = mostBytes;
    }

    /// <summary>Names the content of a picture's file: another file of the same name has another version.</summary>
    public static string VersionOf(GalleryPicture picture)
    {
        string facts = string.Create(CultureInfo.InvariantCulture, $"{picture.Id}\n{picture.Bytes}\n{picture.Painted.UtcTicks}");
        return Sha256.Hash(Encoding.UTF8.GetBytes(facts))[..KeyDigits];
    }

    /// <summary>The thumbnail of a picture.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="path">The path of its file.</param>
    /// <param name="cancellationToken">Ends the wait for other thumbnails.</param>
    /// <returns>A WebP file.</returns>
    /// <exception cref="PictureFileException">The picture cannot be decoded, or is too large.</exception>
    public async Task<byte[]> GetAsync(GalleryPicture picture, string path, CancellationToken cancellationToken)
    {
        string place = Path.Combine(_folders.Thumbnails, VersionOf(picture) + Extension);
        if (TryRead(place) is { } known) return known;
        await _making.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (TryRead(place) is { } made) return made;
            // A thread of its own: decoding takes tens of milliseconds, in which the pool's threads answer other requests.
            return await Task.Factory.StartNew(
                () => Make(path, place), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                .ConfigureAwait(false);
        }
        finally
        {
            _making.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _making.Dispose();

    private static byte[]? TryRead(string place)
    {
        try
        {
            return File.Exists(place) && GalleryFolders.IsRegular(place) ? File.ReadAllBytes(place) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private byte[] Make(string path, string place)
    {
        byte[] file = Thumbnail.Make(path);
        try
        {
            _bytes ??= Files().Sum(known => known.Length);
            AtomicFile.Write(place, file, overwrite: true, mode: null);
            _bytes += file.Length;
            if (_bytes > _mostBytes) Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Without room for it, the thumbnail is made again when it is asked for again.
        }

        return file;
    }

    // A tenth is freed at once, so that not every further thumbnail trims again.
    private void Trim()
    {
        long bytes = 0;
        foreach (FileInfo file in Files().OrderByDescending(file => file.LastWriteTimeUtc))
        {
            if (bytes + file.Length <= _mostBytes / 10 * 9) bytes += file.Length;
            else file.Delete();
        }

        _bytes = bytes;
    }

    private IEnumerable<FileInfo> Files() => new DirectoryInfo(_folders.Thumbnails).EnumerateFiles("*" + Extension);
}
