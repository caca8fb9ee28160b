using System.Globalization;
using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Server.Gallery;

/// <summary>
/// The removed pictures: a folder for each removal, named by its time in seconds since 1970, with the file under its own name. Members may
/// be called from any thread.
/// </summary>
/// <param name="folders">The folders of the gallery.</param>
internal sealed class GalleryTrash(GalleryFolders folders)
{
    /// <summary>The days that a picture stays in the trash.</summary>
    public const int Days = 30;

    private readonly Lock _lock = new();

    // The newest place of each removed file, by its id.
    private Dictionary<string, string>? _places;

    /// <summary>Whether a file of this id is in the trash.</summary>
    public bool Has(string id)
    {
        lock (_lock) return Places().ContainsKey(id);
    }

    /// <summary>Moves a file to the trash.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="now">The time of the removal.</param>
    public void Take(string path, DateTimeOffset now)
    {
        string name = Path.GetFileName(path);
        lock (_lock)
        {
            Dictionary<string, string> places = Places();
            long stamp = now.ToUnixTimeSeconds();
            string place = Place(stamp, name);
            while (File.Exists(place)) place = Place(++stamp, name);
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Move(path, place);
            places[GalleryNames.IdOf(name)] = place;
        }
    }

    /// <summary>Moves a file back into the gallery.</summary>
    /// <param name="id">The file's id.</param>
    /// <returns>The file's path in the gallery; null if it is not in the trash.</returns>
    /// <exception cref="IOException">A file of that name is in the gallery, or the system refuses.</exception>
    public string? Return(string id)
    {
        lock (_lock)
        {
            Dictionary<string, string> places = Places();
            if (!places.TryGetValue(id, out string? place) || !GalleryFolders.IsRegular(place)) return null;
            string path = Path.Combine(folders.Gallery, Path.GetFileName(place));
            // File.Move checks the name first and renames then, so that a file which appears in between would be lost.
            if (OperatingSystem.IsWindows() || !UnixFile.TryName(place, path)) File.Move(place, path);
            places.Remove(id);
            DeleteIfEmpty(Path.GetDirectoryName(place)!);
            return path;
        }
    }

    /// <summary>Deletes what was removed more than <see cref="Days"/> days ago.</summary>
    /// <param name="now">The present time.</param>
    public void Purge(DateTimeOffset now)
    {
        long oldest = now.AddDays(-Days).ToUnixTimeSeconds();
        lock (_lock)
        {
            foreach ((long stamp, string folder) in Removals().Where(removal => removal.Stamp < oldest))
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // It is tried again at the next start.
                }
            }

            _places = null;
        }
    }

    private string Place(long stamp, string name) =>
        Path.Combine(folders.Trash, stamp.ToString(CultureInfo.InvariantCulture), name);

    private Dictionary<string, string> Places()
    {
        if (_places is not null) return _places;
        Dictionary<string, string> places = new(StringComparer.Ordinal);
        foreach ((_, string folder) in Removals().OrderBy(removal => removal.Stamp))
            foreach (string file in Directory.EnumerateFiles(folder)) places[GalleryNames.IdOf(Path.GetFileName(file))] = file;
        return _places = places;
    }

    private IEnumerable<(long Stamp, string Folder)> Removals()
    {
        if (!Directory.Exists(folders.Trash)) yield break;
        foreach (string folder in Directory.EnumerateDirectories(folders.Trash))
        {
            bool isRemoval = long.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out long stamp)
                && (File.GetAttributes(folder) & FileAttributes.ReparsePoint) == 0;
            if (isRemoval) yield return (stamp, folder);
        }
    }

    private static void DeleteIfEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Other pictures were removed in the same second.
        }
    }
}
