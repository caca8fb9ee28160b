using System.Diagnostics;
using System.Text;
using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;

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

    /// <summary>
    /// A digest of the embeddings that the prompts of a request name, by which a later change is noticed; null if they name none.
    /// </summary>
    /// <exception cref="ServerRequestException">A prompt cannot be read, or an embedding cannot be used.</exception>
    public string? FingerprintOf(PictureRequest request)
    {
        if (!HasFolders) return null;
        try
        {
            IEnumerable<Embedding> used = UsedBy(request);
            if (request.Hires is { } pass && (pass.Prompt ?? pass.NegativePrompt) is not null)
            {
                string prompt = pass.Prompt ?? request.Prompt, negative = pass.NegativePrompt ?? request.NegativePrompt;
                IReadOnlyList<PictureLora> loras = pass.Loras ?? request.Loras;
                used = used.Concat(UsedBy(request with { Prompt = prompt, NegativePrompt = negative, Loras = loras, Hires = null }));
            }

            string[] lines = [.. used.Select(embedding => $"{embedding.Name} {embedding.Sha256}").Distinct()];
            return lines.Length == 0 ? null : Sha256.Hash(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        }
        catch (MuseAtelierException exception) when (exception is not (PictureRequestException or EmbeddingFolderException))
        {
            throw AdapterPaths.Hide(Problems.Make(422, "bad-embedding", exception.Message, exception), options.Atelier);
        }
        catch (PictureRequestException exception)
        {
            throw Problems.Of(exception);
        }
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

    private IReadOnlyList<Embedding> UsedBy(PictureRequest request) =>
        InFolder(folder => RequestPrompts.Of(request, folder: folder).Embeddings);

    private IReadOnlyList<ListedEmbedding> List()
    {
        EmbeddingCatalog catalog = InFolder(folder => folder.Scan());
        IEnumerable<ListedEmbedding> all = catalog.Usable.Concat(catalog.Skipped).Select(Describe);
        _listed = [.. all.OrderBy(embedding => embedding.Name, StringComparer.OrdinalIgnoreCase)];
        _listedAt = Stopwatch.GetTimestamp();
        return _listed;
    }

    private T InFolder<T>(Func<EmbeddingFolder, T> read)
    {
        try
        {
            EmbeddingFolder folder;
            lock (_gate) folder = _folder ??= new EmbeddingFolder(options.Atelier.EmbeddingFolders);
            return read(folder);
        }
        catch (EmbeddingFolderException exception)
        {
            const string message =
                "A folder of embeddings cannot be read; expected one that exists. Put it back, or start the server without it.";
            throw Problems.Make(500, "failed", message, exception);
        }
    }
}
