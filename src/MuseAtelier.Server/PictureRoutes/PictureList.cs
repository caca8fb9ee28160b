namespace MuseAtelier.Server.PictureRoutes;

/// <summary>A page of the gallery.</summary>
internal sealed record PictureList
{
    /// <summary>The pictures, newest first.</summary>
    public required IReadOnlyList<PictureJson> Pictures { get; init; }

    /// <summary>The cursor of the next page; null if this is the last one.</summary>
    public string? Next { get; init; }

    /// <summary>The number of pictures on all pages.</summary>
    public required int Total { get; init; }
}
