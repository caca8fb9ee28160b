using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Server.Adapters;

/// <summary>
/// Remembers the digests of files by their size and time, so that a file is read once and not with every request. Thread-safe.
/// </summary>
internal sealed class FileDigests
{
    private const int Most = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (FileStamp Stamp, string Sha256)> _known = new(StringComparer.Ordinal);

    /// <summary>SHA-256 of a file in lower-case hex; null if it cannot be read.</summary>
    public string? Of(string path)
    {
        lock (_gate)
        {
            if (FileStamp.Of(path) is not { } stamp) return null;
            if (_known.TryGetValue(path, out (FileStamp Stamp, string Sha256) known) && known.Stamp == stamp) return known.Sha256;
            if (Read(path) is not { } digest) return null;
            if (_known.Count == Most) _known.Clear();
            _known[path] = (stamp, digest);
            return digest;
        }
    }

    private static string? Read(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Sha256.Hash(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>What tells an earlier content of a file from a later one without reading it.</summary>
/// <param name="Bytes">Bytes of the file.</param>
/// <param name="Modified">When it was last written.</param>
internal readonly record struct FileStamp(long Bytes, DateTime Modified)
{
    /// <summary>The stamp of a file; null if there is none.</summary>
    public static FileStamp? Of(string path)
    {
        FileInfo file = FinalPath.FileOf(path);
        return file.Exists ? new FileStamp(file.Length, file.LastWriteTimeUtc) : null;
    }
}
