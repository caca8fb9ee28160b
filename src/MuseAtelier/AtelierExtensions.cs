namespace MuseAtelier;

/// <summary>Shorter forms of the calls of <see cref="IAtelier"/>.</summary>
public static class AtelierExtensions
{
    /// <summary>Paints one picture by itself.</summary>
    /// <param name="atelier">The atelier.</param>
    /// <param name="request">The picture.</param>
    /// <param name="progress">Receives reports: return quickly, and do not wait for the atelier.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    public static Task<Picture> GenerateAsync(
        this IAtelier atelier, PictureRequest request, IProgress<GenerationProgress>? progress,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        return atelier.GenerateAsync(request, new GenerationOptions { Progress = progress }, cancellationToken);
    }

    /// <summary>
    /// Paints one picture exactly as it comes out at a given place of a batch (<see cref="PictureProvenance.BatchSlot"/>), to reproduce it
    /// byte by byte. This takes as much time and memory as that whole batch.
    /// </summary>
    /// <param name="atelier">The atelier.</param>
    /// <param name="request">The picture.</param>
    /// <param name="place">The picture's place in its batch.</param>
    /// <param name="progress">Receives reports: return quickly, and do not wait for the atelier.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    /// <exception cref="ArgumentOutOfRangeException">The place is not in a batch.</exception>
    public static Task<Picture> GenerateAsync(
        this IAtelier atelier, PictureRequest request, BatchSlot place, IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        ArgumentNullException.ThrowIfNull(place);
        return atelier.GenerateAsync(request, new GenerationOptions { Place = place, Progress = progress }, cancellationToken);
    }

    /// <summary>Paints one picture for each of the following seeds, in order.</summary>
    /// <param name="atelier">The atelier.</param>
    /// <param name="request">The first picture; each following one has the next seed.</param>
    /// <param name="count">The number of pictures, from 0.</param>
    /// <param name="batchSize">
    /// The number of pictures in a batch, 1 to <see cref="BatchSlot.LargestBatch"/>; null means the fastest. With 1, every picture is bit
    /// by bit the one that its seed gives by itself.
    /// </param>
    /// <param name="progress">Receives reports: return quickly, and do not wait for the atelier.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    public static IAsyncEnumerable<Picture> GenerateManyAsync(
        this IAtelier atelier, PictureRequest request, int count, int? batchSize, IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        var options = new GenerationOptions { BatchSize = batchSize, Progress = progress };
        return atelier.GenerateManyAsync(request, count, options, cancellationToken);
    }
}
