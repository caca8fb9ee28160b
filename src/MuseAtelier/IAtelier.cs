namespace MuseAtelier;

/// <summary>
/// A loaded model that paints pictures. <see cref="Atelier"/> implements it; programs depend on this interface, so that their tests can
/// replace it. Members may be called from any thread. <see cref="AtelierExtensions"/> has shorter forms of the calls.
/// </summary>
public interface IAtelier : IAsyncDisposable, IDisposable
{
    /// <summary>The model that paints.</summary>
    ModelInfo Model { get; }

    /// <summary>The device that the model runs on, in words.</summary>
    string Device { get; }

    /// <summary>The version of ONNX Runtime.</summary>
    string RuntimeVersion { get; }

    /// <summary>The queue and the memory at this moment.</summary>
    AtelierStatus Status { get; }

    /// <summary>Paints one picture.</summary>
    /// <param name="request">The picture.</param>
    /// <param name="options">Progress, priority and place in a batch; null means the defaults.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="QueueFullException">The queue holds as many requests as it may.</exception>
    /// <exception cref="BudgetTooSmallException">The picture cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="ObjectDisposedException">The atelier accepts no more requests.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the atelier was disposed.</exception>
    Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Paints one picture for each of the following seeds, in order, several at a time where that is faster within the budget. Each
    /// picture comes as soon as it is decoded. Breaking out of the loop cancels the run. Batched pictures look the same as single ones
    /// but may differ in the last bits.
    /// </summary>
    /// <param name="request">The first picture; each following one has the next seed.</param>
    /// <param name="count">The number of pictures, from 0.</param>
    /// <param name="options">Progress, priority and batch size; null means the defaults.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count or the batch size is out of range.</exception>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="QueueFullException">The queue holds as many requests as it may.</exception>
    /// <exception cref="BudgetTooSmallException">The batch cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="ObjectDisposedException">The atelier accepts no more requests.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the atelier was disposed.</exception>
    IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Finishes all pictures that were requested, then releases everything. Later requests are refused with
    /// <see cref="ObjectDisposedException"/>. Disposing meanwhile aborts the pictures that are left.
    /// </summary>
    Task DrainAsync();
}
