namespace MuseAtelier.Server.Gallery;

/// <summary>
/// Compares the folder with the index. Files that are new or changed are read, newest first; files that are gone leave the index.
/// </summary>
/// <param name="folders">The folders of the gallery.</param>
/// <param name="index">The index.</param>
/// <param name="reader">Reads the files.</param>
internal sealed class GalleryScanner(GalleryFolders folders, GalleryIndex index, GalleryReader reader)
{
    private static readonly EnumerationOptions Files = new()
    {
        // A link may lead out of the gallery.
        AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden | FileAttributes.System | FileAttributes.Directory,
        IgnoreInaccessible = true,
        RecurseSubdirectories = false,
        MatchType = MatchType.Simple,
    };

    private readonly Lock _lock = new();

    // Every file that was looked at, and its id if it is a picture.
    private readonly Dictionary<string, SeenFile> _seen = new(StringComparer.Ordinal);

    /// <summary>Raised for each picture that a scan finds; not during the first scan.</summary>
    public event Action<GalleryPicture>? Found;

    /// <summary>Raised with the id of each picture that is gone.</summary>
    public event Action<string>? Gone;

    /// <summary>Scans the folder. Scans must not overlap.</summary>
    /// <param name="known">What the cache of the index says, by file name; null after the first scan.</param>
    /// <param name="cancellationToken">Ends the scan between two files.</param>
    /// <returns>The number of files that were read, or that are gone.</returns>
    public int Scan(IReadOnlyDictionary<string, GalleryPicture>? known, CancellationToken cancellationToken)
    {
        string[] before;
        lock (_lock) before = [.. _seen.Keys];
        HashSet<string> present = new(StringComparer.Ordinal);
        List<FileInfo> changed = [];
        foreach (FileInfo file in new DirectoryInfo(folders.Gallery).EnumerateFiles("*", Files))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (GalleryNames.FormatOf(file.Name) is null || !present.Add(file.Name) || !IsNew(file)) continue;
            if (known?.GetValueOrDefault(file.Name) is { } picture && SeenFile.Of(picture) == SeenFile.Of(file, picture.Id)) Note(picture);
            else changed.Add(file);
        }

        int changes = changed.Count;
        foreach (FileInfo file in changed.OrderByDescending(file => file.LastWriteTimeUtc))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Look(file, isFirst: known is not null);
        }

        // Only files that were there before the folder was read can be gone: others were added meanwhile.
        foreach (string name in before.Where(name => !present.Contains(name)))
        {
            changes++;
            Forget(name);
        }

        return changes;
    }

    /// <summary>Reads one file now; null if it is no picture.</summary>
    public GalleryPicture? Look(FileInfo file) => Look(file, reader.Read);

    /// <summary>Describes a file that was just written, without reading it; null if it is no picture.</summary>
    /// <param name="file">The file.</param>
    /// <param name="content">What was written; borrowed.</param>
    public GalleryPicture? Look(FileInfo file, ReadOnlyMemory<byte> content) => Look(file, written => reader.Read(written, content));

    /// <summary>Enters a picture that the server itself wrote.</summary>
    public void Note(GalleryPicture picture)
    {
        lock (_lock) _seen[picture.FileName] = SeenFile.Of(picture);
        index.Put(picture);
    }

    /// <summary>Takes a file out of the index.</summary>
    public void Forget(string name)
    {
        SeenFile seen;
        lock (_lock)
        {
            if (!_seen.Remove(name, out seen)) return;
        }

        if (seen.Id is { } id && index.Remove(id)) Gone?.Invoke(id);
    }

    private GalleryPicture? Look(FileInfo file, Func<FileInfo, GalleryPicture?> read)
    {
        file.Refresh();
        if (!file.Exists || GalleryNames.FormatOf(file.Name) is null || read(file) is not { } picture) return null;
        Note(picture);
        return picture;
    }

    private bool IsNew(FileInfo file)
    {
        lock (_lock) return !_seen.TryGetValue(file.Name, out SeenFile seen) || seen != SeenFile.Of(file, seen.Id);
    }

    private void Look(FileInfo file, bool isFirst)
    {
        try
        {
            GalleryPicture? picture = reader.Read(file);
            lock (_lock) _seen[file.Name] = SeenFile.Of(file, picture?.Id);
            if (picture is null) index.Remove(GalleryNames.IdOf(file.Name));
            else if (index.Put(picture) && !isFirst) Found?.Invoke(picture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The file went away meanwhile; the next scan notices.
        }
    }

    // What tells a changed file from one that was looked at.
    private readonly record struct SeenFile(long Bytes, long Ticks, string? Id)
    {
        public static SeenFile Of(FileInfo file, string? id) => new(file.Length, file.LastWriteTimeUtc.Ticks, id);

        public static SeenFile Of(GalleryPicture picture) => new(picture.Bytes, picture.Painted.UtcTicks, picture.Id);
    }
}
