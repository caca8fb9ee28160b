using MuseAtelier.Server.Models;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>A shelf with one model, which is open from the first job on.</summary>
internal sealed class OneShelf(IAtelier atelier) : IModelShelf
{
    private readonly ShelfModel _model = new() { Id = "miniature", Title = "Miniature", Path = "/models/miniature.safetensors" };
    private bool _isOpen;

    /// <summary>Ends when the opening of the model does, which cannot be cancelled, as an export cannot; by default at once.</summary>
    public Task Opening { get; set; } = Task.CompletedTask;

    public IReadOnlyList<ShelfModel> Models => [_model];

    public ShelfModel? Current => _model;

    public SanctumState Sanctum { get; } = new();

    public void Choose(string id)
    {
    }

    public ShelfModel? Find(string text) => text == _model.Id || text == atelier.Model.Sha256 ? _model : null;

    public void Refresh()
    {
    }

    public IAtelier? Opened(ShelfModel model) => _isOpen ? atelier : null;

    public async Task<IAtelier> OpenAsync(ShelfModel model, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        progress?.Report("opening");
        await Opening;
        _isOpen = true;
        return atelier;
    }

    public double? SecondsToOpen(ShelfModel model) => _isOpen ? 0 : null;
}
