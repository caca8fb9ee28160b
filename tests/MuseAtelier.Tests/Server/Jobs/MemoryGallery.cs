using System.Collections.Concurrent;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>A gallery in memory, with a folder for the journal. It outlives the boards of a test, as a real one does.</summary>
internal sealed class MemoryGallery : IGallery, IDisposable
{
    /// <summary>The names in the order in which their pictures came. A name that came twice is there twice.</summary>
    public ConcurrentQueue<string> Added { get; } = new();

    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    /// <summary>Thrown by <see cref="AddAsync"/>; null if pictures are taken.</summary>
    public Exception? Failure { get; set; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("muse-gallery-").FullName;

    public string Journal => Path.Combine(Folder, ".atelier", "journal.jsonl");

    public string NameOf(string jobId, DateTimeOffset accepted, int index, PictureFormat format) =>
        $"{jobId}-{index}.{format.ToString().ToLowerInvariant()}";

    public bool Has(string name) => Files.ContainsKey(name);

    public Task<GalleryPicture> AddAsync(string name, ReadOnlyMemory<byte> file, CancellationToken cancellationToken)
    {
        if (Failure is { } failure) throw failure;
        Added.Enqueue(name);
        Files.TryAdd(name, file.ToArray());
        return Task.FromResult(Find(name)!);
    }

    public GalleryPicture? Find(string id)
    {
        if (!Files.TryGetValue(id, out byte[]? file)) return null;
        PictureFileContent content = PictureFile.Read((ReadOnlyMemory<byte>)file);
        return new GalleryPicture
        {
            Id = id,
            Painted = DateTimeOffset.UnixEpoch,
            Width = 8,
            Height = 8,
            Bytes = file.Length,
            Record = content.RecordJson is null ? null : content.ReadRecord(),
        };
    }

    public string? PathOf(string id)
    {
        if (!Files.TryGetValue(id, out byte[]? file)) return null;
        string path = Path.Combine(Folder, id);
        File.WriteAllBytes(path, file);
        return path;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
