namespace MuseAtelier;

/// <summary>The settings of a call: progress, priority and batch. Of these, only the batch can change the bytes of a picture.</summary>
public sealed record GenerationOptions
{
    /// <summary>
    /// Receives reports: of the position while the request waits, and from the engine's thread while it is painted. Return quickly, and do
    /// not wait for the atelier. An exception ends the request.
    /// </summary>
    public IProgress<GenerationProgress>? Progress { get; init; }

    /// <summary>The priority while the request waits; of a series, that of each batch.</summary>
    public GenerationPriority Priority { get; init; } = GenerationPriority.Normal;

    /// <summary>
    /// The place at which a single picture is painted, to reproduce a picture of a batch byte by byte; null means by itself. Must be null
    /// for several pictures.
    /// </summary>
    public BatchSlot? Place { get; init; }

    /// <summary>
    /// The number of pictures in a batch, 1 to <see cref="BatchSlot.LargestBatch"/>; the last batch may have fewer. Null means the fastest.
    /// With 1, every picture has the bytes that its seed gives by itself. Must be null for a single picture.
    /// </summary>
    public int? BatchSize { get; init; }
}
