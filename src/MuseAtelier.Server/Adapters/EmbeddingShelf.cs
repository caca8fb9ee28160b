using System.Diagnostics;
using MuseAtelier.Adapters;

namespace MuseAtelier.Server.Adapters;

/// <summary>
/// The embeddings in the folders that the server's owner names. The folders are scanned when a client asks for the list, at most once in
/// two seconds, or at once on demand; headers are read only of files that changed. Members may be called from any thread.
/// </summary>
/// <param name="options">Has the folders.</param>
internal sealed class EmbeddingShelf(ServerOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private EmbeddingFolder? _folder;
    private IReadOnlyList<ListedEmbedding> _listed = [];
    private long? _listedAt;

    /// <summary>Whether there is any folder.</summary>
    public bool HasFolders => options.Atelier.EmbeddingFolders.Count > 0;

    /// <summary>All embeddings in the order of their names; of several usable ones of one name, the one that the name means.</summary>
    /// <exception cref="ServerRequestException">A folder cannot be read.</exception>
    public IReadOnlyList<ListedEmbedding> All()
    {
        lock (_gate)
        {
            bool isFresh = _listedAt is { } at && Stopwatch.GetElapsedTime(at) < Patience;
            return isFresh || !HasFolders ? _listed : List();
        }
    }

    /// <summary>Scans the folders at once, and returns all.</summary>
    /// <exception cref="ServerRequestException">A folder cannot be read.</exception>
    public IReadOnlyList<ListedEmbedding> Refresh()
    {
        lock (_gate) return HasFolders ? List() : _listed;
    }

    private static ListedEmbedding Describe(EmbeddingEntry entry) => new()
    {
        Name = entry.Name,
        Vectors = entry.Vectors,
        Bytes = entry.Bytes,
        Path = entry.Path,
        Problem = entry.Fault is { } fault
            ? new Problem { Kind = "bad-embedding", Message = fault.Message.Replace(entry.Path, entry.Name, StringComparison.Ordinal) }
            : null,
    };

    private IReadOnlyList<ListedEmbedding> List()
    {
        try
        {
            EmbeddingCatalog catalog = (_folder ??= new EmbeddingFolder(options.Atelier.EmbeddingFolders)).Scan();
            IEnumerable<ListedEmbedding> all = catalog.Usable.Concat(catalog.Skipped).Select(Describe);
            _listed = [.. all.OrderBy(embedding => embedding.Name, StringComparer.OrdinalIgnoreCase)];
            _listedAt = Stopwatch.GetTimestamp();
            return _listed;
        }
        catch (EmbeddingFolderException exception)
        {
            const string message =
                "A folder of embeddings cannot be read; expected one that exists. Put it back, or start the server without it.";
            throw Problems.Make(500, "failed", message, exception);
        }
    }
}
