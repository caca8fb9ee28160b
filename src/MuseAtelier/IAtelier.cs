namespace MuseAtelier;

/// <summary>
/// A loaded model that paints pictures, one batch after the other, in the order of their priorities. <see cref="Atelier"/> implements it;
/// programs depend on this interface, so that their tests can replace it. Members may be called from any thread.
/// <see cref="AtelierExtensions"/> has shorter forms of the calls. Disposing ends the atelier as <see cref="AtelierOptions.Disposal"/>
/// says.
/// </summary>
public interface IAtelier : IAsyncDisposable, IDisposable
{
    /// <summary>The model that paints.</summary>
    ModelInfo Model { get; }

    /// <summary>The device that the model runs on, in words.</summary>
    string Device { get; }

    /// <summary>The version of ONNX Runtime.</summary>
    string RuntimeVersion { get; }

    /// <summary>The queue and the memory at this moment. Reading it is cheap and does not wait for the engine.</summary>
    AtelierStatus Status { get; }

    /// <summary>Paints one picture.</summary>
    /// <param name="request">The picture.</param>
    /// <param name="options">Progress, priority and place in a batch; null means the defaults.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    /// <returns>The picture; the caller disposes it.</returns>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="ArgumentException">An option is out of range, or does not belong to a single picture.</exception>
    /// <exception cref="QueueFullException">As many requests wait as may. Nothing was queued.</exception>
    /// <exception cref="BudgetTooSmallException">The picture cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="ObjectDisposedException">The atelier accepts no more requests.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the atelier was disposed.</exception>
    Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Paints one picture for each of the following seeds, in order, several at a time where that is faster within the budget. Each
    /// picture comes as soon as it is decoded. Breaking out of the loop cancels the run, and disposes the pictures that were not taken.
    /// Batched pictures look the same as single ones but may differ in the last bits. The options and the request are checked by this
    /// call, and nothing is queued before the first picture is awaited. Each batch is a request of its own in the queue; only the first
    /// one can be refused because the queue is full.
    /// </summary>
    /// <param name="request">The first picture; each following one has the next seed.</param>
    /// <param name="count">The number of pictures, from 0.</param>
    /// <param name="options">Progress, priority and batch size; null means the defaults.</param>
    /// <param name="cancellationToken">Ends at once while the request waits, and within a step while it is painted.</param>
    /// <returns>The pictures; the caller disposes each of them.</returns>
    /// <exception cref="ArgumentException">The count or an option is out of range, or an option belongs to a single picture.</exception>
    /// <exception cref="PictureRequestException">The request is out of range.</exception>
    /// <exception cref="QueueFullException">As many requests wait as may. Nothing was queued.</exception>
    /// <exception cref="BudgetTooSmallException">The batch cannot be painted within the budget.</exception>
    /// <exception cref="InferenceException">A part of the model failed.</exception>
    /// <exception cref="ObjectDisposedException">The atelier accepts no more requests.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the atelier was disposed.</exception>
    IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Finishes all requests that wait and the one that is painted, then releases everything. Later requests, and the next batches of
    /// series, are refused with <see cref="ObjectDisposedException"/>. With <see cref="DisposalMode.Abort"/>, disposing meanwhile aborts
    /// the requests that are left. A progress sink must not wait for the returned task, which ends after the sink.
    /// </summary>
    Task DrainAsync();
}
