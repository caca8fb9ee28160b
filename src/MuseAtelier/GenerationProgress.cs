namespace MuseAtelier;

/// <summary>
/// The progress of a picture, or of all pictures of a batch. Reported on the engine's own thread: return quickly, and do not call back
/// into the atelier.
/// </summary>
/// <param name="Phase">The phase that runs.</param>
/// <param name="Step">Evaluations of the UNet that are finished. The samplers of this library have one for each step.</param>
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

/// <summary>
/// A rough picture of the latents by a fixed linear map of their four channels. Each side is an eighth of the picture's. The pictures of
/// a batch lie in one grid, row by row from the top left.
/// </summary>
/// <param name="Width">Width of the whole grid in px.</param>
/// <param name="Height">Height of the whole grid in px.</param>
/// <param name="Pixels">
/// [Height, Width, 3] interleaved RGB, 8 bits a channel. Valid only during the report, because the next step overwrites it.
/// </param>
/// <param name="Columns">Pictures in a row of the grid.</param>
public sealed record LatentPreview(int Width, int Height, ReadOnlyMemory<byte> Pixels, int Columns = 1);

/// <summary>The progress of opening a model.</summary>
/// <param name="Phase">The present work, in words.</param>
/// <param name="Fraction">The share of it that is done, 0 to 1.</param>
public readonly record struct LoadProgress(string Phase, double Fraction);
