using MuseAtelier.Pictures;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>The one queue of all clients. Members may be called from any thread.</summary>
internal interface IJobBoard
{
    /// <summary>The running job first, then those that wait in their order, then those that ended lately, newest first.</summary>
    IReadOnlyList<Job> Jobs { get; }

    /// <summary>A job by its id; null if there is none, or it ended long ago.</summary>
    Job? Find(string id);

    /// <summary>
    /// Accepts a job. When the task ends, the journal holds the job on disk: a restarted server paints it.
    /// </summary>
    /// <param name="request">The request, checked, with its seed.</param>
    /// <param name="cancellationToken">Ends the call before the job is accepted.</param>
    /// <exception cref="ServerRequestException">The queue is full, the model is not on the shelf, or the server is stopping.</exception>
    Task<Job> AcceptAsync(JobRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Runs a job for a client that waits for its pictures. Such a job is not in the journal, because its client is told only when it is
    /// finished.
    /// </summary>
    /// <param name="request">The request, checked, with its seed.</param>
    /// <param name="accepted">Called with the job's id when it is in the queue; null if nobody needs it.</param>
    /// <param name="finished">Called with each picture, in order, before the next one begins to be encoded.</param>
    /// <param name="cancellationToken">Removes the job from the queue, or stops it within a step.</param>
    /// <exception cref="ServerRequestException">It was refused, or it failed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or another client stopped the job.</exception>
    Task<Job> RunAsync(
        JobRequest request, Action<Job>? accepted, Func<FinishedPicture, Task> finished, CancellationToken cancellationToken);

    /// <summary>Removes a job that waits, or stops one that runs within a step. Ended jobs stay as they are.</summary>
    /// <returns>The job afterwards; null if there is none with this id.</returns>
    Task<Job?> StopAsync(string id);

    /// <summary>Moves a waiting job.</summary>
    /// <param name="id">The job.</param>
    /// <param name="place">The new place among those that wait, from 0; beyond the end means the end.</param>
    /// <returns>The job afterwards; null if no job with this id waits.</returns>
    Task<Job?> MoveAsync(string id, int place);

    /// <summary>Removes all jobs that wait and are in the journal.</summary>
    /// <returns>The jobs that were removed.</returns>
    Task<IReadOnlyList<Job>> ClearAsync();

    /// <summary>The newest preview of a job that runs or has ended; null if there is none. At most 512 px on its longer side.</summary>
    PreviewImage? Preview(string id);
}

/// <summary>A preview, encoded.</summary>
internal sealed record PreviewImage
{
    /// <summary>The number of the preview in its job, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>The file.</summary>
    public required ReadOnlyMemory<byte> File { get; init; }

    /// <summary>Its type: image/webp or image/jpeg.</summary>
    public required string MediaType { get; init; }

    /// <summary>The index in the job of the picture that it shows.</summary>
    public required int Picture { get; init; }
}

/// <summary>A finished picture as its file.</summary>
internal sealed record FinishedPicture
{
    /// <summary>The embeddings that its prompts named.</summary>
    public IReadOnlyList<UsedEmbedding> Embeddings { get; init; } = [];

    /// <summary>Index in the job, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The request, with this picture's seed.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The file, with its record.</summary>
    public required ReadOnlyMemory<byte> File { get; init; }

    /// <summary>The file's format.</summary>
    public required PictureFormat Format { get; init; }

    /// <summary>Width in px, with the frame.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, with the frame.</summary>
    public required int Height { get; init; }

    /// <summary>The settings as AUTOMATIC1111's text.</summary>
    public required string Parameters { get; init; }

    /// <summary>The model that painted it.</summary>
    public required ModelInfo Model { get; init; }

    /// <summary>The id in the gallery; null if it is not kept.</summary>
    public string? Id { get; init; }
}
