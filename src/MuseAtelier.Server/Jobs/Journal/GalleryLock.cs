using System.Globalization;
using MuseAtelier.Export.Storage;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>
/// Keeps two servers from one gallery. The system releases the lock when the process ends in any way. A file beside it names the process
/// that holds it, because a locked file cannot be read on every system.
/// </summary>
internal sealed class GalleryLock : IDisposable
{
    private readonly FileLock _lock;
    private readonly string _owner;

    private GalleryLock(FileLock held, string owner) => (_lock, _owner) = (held, owner);

    /// <summary>Takes the lock.</summary>
    /// <param name="gallery">The gallery, for messages.</param>
    /// <param name="folder">The folder of the journal, which exists.</param>
    /// <exception cref="GalleryInUseException">Another server holds it.</exception>
    public static GalleryLock Take(string gallery, string folder)
    {
        string owner = Path.Combine(folder, "server.txt");
        FileLock held = FileLock.TryTake(Path.Combine(folder, "lock")) ?? throw new GalleryInUseException(gallery, ReadOwner(owner));
        try
        {
            using var stream = new FileStream(owner, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return new GalleryLock(held, owner);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            File.Delete(_owner);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The file only helps people; the lock is what counts.
        }

        _lock.Dispose();
    }

    private static int? ReadOwner(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int process) ? process : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>Another server has the gallery.</summary>
/// <param name="gallery">The gallery's folder.</param>
/// <param name="process">The number of the process that has it; null if it is not known.</param>
internal sealed class GalleryInUseException(string gallery, int? process) : MuseAtelierException(
    process is null
        ? $"another server uses the gallery {gallery}"
        : string.Create(CultureInfo.InvariantCulture, $"another server uses the gallery {gallery}: process {process}"),
    "a gallery that no other server uses",
    "Use the page of that server, stop it, or name another folder with --gallery.")
{
    /// <summary>The number of the process that has the gallery; null if it is not known.</summary>
    public int? Process { get; } = process;
}
