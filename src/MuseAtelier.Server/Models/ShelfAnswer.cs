namespace MuseAtelier.Server.Models;

/// <summary>The models as clients see them.</summary>
internal sealed record ShelfAnswer
{
    /// <summary>The models, in the order of the shelf.</summary>
    public required IReadOnlyList<ModelAnswer> Models { get; init; }

    /// <summary>The device in words; null while no model is open.</summary>
    public string? Device { get; init; }

    /// <summary>The models of a shelf at this moment.</summary>
    public static ShelfAnswer Of(IModelShelf shelf)
    {
        string? current = shelf.Current?.Path;
        return new ShelfAnswer
        {
            Models = [.. shelf.Models.Select(model => new ModelAnswer
            {
                Id = model.Id,
                Title = model.Title,
                IsCurrent = model.Path == current,
                IsOpen = shelf.Opened(model) is not null,
                BestSize = model.BestSize,
                Problem = model.Problem,
            })],
            Device = shelf.Sanctum.Device,
        };
    }
}

/// <summary>A model as clients see it.</summary>
internal sealed record ModelAnswer
{
    /// <summary>See <see cref="ShelfModel.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary>See <see cref="ShelfModel.Title"/>.</summary>
    public required string Title { get; init; }

    /// <summary>Whether requests that name no model use it.</summary>
    public required bool IsCurrent { get; init; }

    /// <summary>Whether it is open.</summary>
    public required bool IsOpen { get; init; }

    /// <summary>See <see cref="ShelfModel.BestSize"/>.</summary>
    public required int BestSize { get; init; }

    /// <summary>See <see cref="ShelfModel.Problem"/>.</summary>
    public Problem? Problem { get; init; }
}
