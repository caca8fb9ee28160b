namespace MuseAtelier.Server.Models;

/// <summary>The models that the server may open. It opens them when jobs need them; one at a time unless the budget holds more.</summary>
internal interface IModelShelf
{
    /// <summary>The models, in the order in which they were named. Read again by <see cref="Refresh"/>.</summary>
    IReadOnlyList<ShelfModel> Models { get; }

    /// <summary>The model that is open, or else the one that would be opened next; null if there is no model at all.</summary>
    ShelfModel? Current { get; }

    /// <summary>The model that jobs without one use from now on.</summary>
    /// <exception cref="ServerRequestException">There is no such model.</exception>
    void Choose(string id);

    /// <summary>Finds a model by id, name, title, file name or digest, without regard to case; null if there is none.</summary>
    ShelfModel? Find(string text);

    /// <summary>Reads the folders again.</summary>
    void Refresh();

    /// <summary>The open atelier of a model; null if it is not open.</summary>
    IAtelier? Opened(ShelfModel model);

    /// <summary>Opens a model, after the others were closed where the budget does not hold them as well. Calls do not overlap.</summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Receives what the opening does, in words.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    Task<IAtelier> OpenAsync(ShelfModel model, IProgress<string>? progress, CancellationToken cancellationToken);

    /// <summary>The memory that the open ateliers hold and may hold.</summary>
    SanctumState Sanctum { get; }

    /// <summary>The seconds that opening this model is expected to take; 0 if it is open, null if nothing is known.</summary>
    double? SecondsToOpen(ShelfModel model);
}

/// <summary>A model on the shelf.</summary>
internal sealed record ShelfModel
{
    /// <summary>The id in URLs and requests: the file's or folder's name without its extension, made unique.</summary>
    public required string Id { get; init; }

    /// <summary>The title for people.</summary>
    public required string Title { get; init; }

    /// <summary>The path.</summary>
    public required string Path { get; init; }

    /// <summary>The SHA-256 in lower-case hexadecimal digits; null if it is not known without reading the whole file.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The longer side in px that the model paints best.</summary>
    public int BestSize { get; init; } = 1024;

    /// <summary>Why it cannot be opened; null if nothing is known against it.</summary>
    public Problem? Problem { get; init; }
}

/// <summary>Memory of the device that counts: in use and allowed, in bytes.</summary>
internal sealed record SanctumState
{
    /// <summary>Bytes in use; null if the device does not report it, or no model is open.</summary>
    public long? Held { get; init; }

    /// <summary>Bytes allowed; null while no model is open and no budget is declared.</summary>
    public long? Budget { get; init; }

    /// <summary>The device in words; null while no model is open.</summary>
    public string? Device { get; init; }
}
