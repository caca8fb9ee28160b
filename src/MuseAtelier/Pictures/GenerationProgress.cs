namespace MuseAtelier;

/// <summary>
/// The progress of a picture, or of all pictures of a batch. Reports of one call never overlap. Those of a waiting request come on its
/// caller's thread and on threads of the pool, all others on the engine's own thread: return quickly, and do not wait for the atelier. A
/// report of the position that has begun may still run when the task of a request that is cancelled while it waits ends.
/// </summary>
public readonly record struct GenerationProgress
{
    /// <summary>Creates a report of one picture.</summary>
    public GenerationProgress() { }

    /// <summary>The phase that runs.</summary>
    public required GenerationPhase Phase { get; init; }

    /// <summary>
    /// The number of waiting batches before this one, without the one that is being painted; 0 if it is the next. Reported when the request
    /// begins to wait and whenever the number changes. Null if the request does not wait.
    /// </summary>
    public int? QueuePosition { get; init; }

    /// <summary>
    /// Evaluations of the UNet that are finished, in both passes if there are two. A sampler has one or two for each step.
    /// </summary>
    public int Step { get; init; }

    /// <summary>Evaluations in all, in both passes if there are two.</summary>
    public int Steps { get; init; }

    /// <summary>
    /// Tiles that an upscaler's model has enlarged between two passes, in all its runs. They are counted anew for each picture, and if a
    /// card computes the picture again in fp32.
    /// </summary>
    public int Tile { get; init; }

    /// <summary>
    /// Tiles in all, also before and after they are enlarged; 0 without an upscaler's model, and while the request waits.
    /// </summary>
    public int Tiles { get; init; }

    /// <summary>Time since the batch was requested.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>
    /// The present latents as a rough picture; null unless <see cref="AtelierOptions.Previews"/> is set, and in steps for which
    /// <see cref="AtelierOptions.PreviewInterval"/> makes none.
    /// </summary>
    public LatentPreview? Preview { get; init; }

    /// <summary>Index of the picture, or of the first picture of the batch, from 0 over all that were requested.</summary>
    public int Picture { get; init; }

    /// <summary>Pictures that the report is about: the whole batch while it is denoised, one while it is enlarged or decoded.</summary>
    public int Pictures { get; init; } = 1;
}

/// <summary>A phase of a picture, as progress reports name it.</summary>
public enum GenerationPhase
{
    /// <summary>Waits for other requests.</summary>
    Queued,

    /// <summary>Encodes the prompts.</summary>
    Encoding,

    /// <summary>Denoises the latents, step by step.</summary>
    Denoising,

    /// <summary>An upscaler's model enlarges the picture of the first pass for the second one, tile by tile.</summary>
    Enlarging,

    /// <summary>Decodes the latents.</summary>
    Decoding,

    /// <summary>Finished.</summary>
    Done,
}
