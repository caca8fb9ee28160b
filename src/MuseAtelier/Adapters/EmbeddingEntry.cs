using MuseAtelier.Export.Embeddings;

namespace MuseAtelier.Adapters;

/// <summary>
/// A file in a folder of embeddings as it was when the folder was scanned. Its vectors are read when a prompt first names it. Thread-safe.
/// </summary>
internal sealed class EmbeddingEntry
{
    private readonly Lock _lock = new();
    private readonly EmbeddingHeader? _header;
    private readonly MuseAtelierException? _fault;
    private Embedding? _loaded;

    /// <summary>Reads the description of a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="place">The path within the folder, with slashes.</param>
    /// <param name="bytes">Size of the file in bytes.</param>
    /// <param name="modified">The time of its last change.</param>
    public EmbeddingEntry(string path, string place, long bytes, DateTime modified)
    {
        Path = path;
        Place = place;
        Bytes = bytes;
        Modified = modified;
        Name = System.IO.Path.GetFileNameWithoutExtension(path);
        try
        {
            _header = EmbeddingFile.Inspect(path);
        }
        catch (MuseAtelierException exception)
        {
            _fault = exception;
        }
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>The path within the folder of embeddings, with slashes, which tells nothing of the machine.</summary>
    public string Place { get; }

    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public string Name { get; }

    /// <summary>Size of the file in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The time of the file's last change.</summary>
    public DateTime Modified { get; }

    /// <summary>Whether prompts can use the file; else <see cref="Fault"/> gives the reason.</summary>
    public bool IsUsable => _fault is null;

    /// <summary>The number of vectors; 0 for a file that cannot be used.</summary>
    public int Vectors => _header?.Count ?? 0;

    /// <summary>The reason why the file cannot be used, such as an embedding for SD 1.x; null for one that can.</summary>
    public MuseAtelierException? Fault => _fault;

    /// <summary>The vectors, which are read at the first call.</summary>
    /// <exception cref="CheckpointException">The file cannot be used. Each cause has its own type.</exception>
    public Embedding Load()
    {
        lock (_lock)
        {
            if (_loaded is { } loaded) return loaded;
            // A fault is found anew, so that each caller has an exception of its own.
            return _loaded = new Embedding(Path, EmbeddingFile.Read(Path));
        }
    }
}
