namespace MuseAtelier;

/// <summary>
/// The progress of a picture, or of all pictures of a batch. Reported on the engine's own thread: return quickly, and do not call back
/// into the atelier.
/// </summary>
/// <param name="Phase">The phase that runs.</param>
/// <param name="Step">Evaluations of the UNet that are finished. A sampler has one or two for each step.</param>
/// <param name="Steps">Evaluations in all.</param>
/// <param name="Elapsed">Time since the batch was requested.</param>
/// <param name="Preview">The present latents as a rough picture; null unless <see cref="AtelierOptions.Previews"/> is set.</param>
/// <param name="Picture">Index of the picture, or of the first picture of the batch, from 0 over all that were requested.</param>
/// <param name="Pictures">Pictures that the report is about: the whole batch while it is denoised, one while it is decoded.</param>
public readonly record struct GenerationProgress(
    GenerationPhase Phase, int Step, int Steps, TimeSpan Elapsed, LatentPreview? Preview, int Picture = 0, int Pictures = 1);

/// <summary>A phase of a picture, as progress reports name it.</summary>
public enum GenerationPhase
{
    /// <summary>Waits for an earlier picture.</summary>
    Queued,

    /// <summary>Encodes the prompts.</summary>
    Encoding,

    /// <summary>Denoises the latents, step by step.</summary>
    Denoising,

    /// <summary>Decodes the latents.</summary>
    Decoding,

    /// <summary>Finished.</summary>
    Done,
}
