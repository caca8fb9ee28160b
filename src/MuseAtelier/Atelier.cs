namespace MuseAtelier;

/// <summary>A loaded model that paints pictures, one at a time, on a thread of its own.</summary>
public sealed class Atelier : IAsyncDisposable
{
    private Atelier() { }

    /// <summary>The model that paints.</summary>
    public ModelInfo Model { get; private init; } = null!;

    /// <summary>Opens a package's folder, or a checkpoint, which is then exported once into the cache.</summary>
    public static Task<Atelier> OpenAsync(string model, AtelierOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <summary>Paints one picture.</summary>
    public Task<Picture> GenerateAsync(PictureRequest request, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
