namespace MuseAtelier;

/// <summary>Where the making of a picture, or of all pictures of a pass, stands. Reported on the engine's own thread: return quickly, and do not call back into the atelier.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Step">Steps that are finished.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Elapsed">Time since the pass was asked for.</param>
/// <param name="Preview">The present latents as a rough picture, when <see cref="AtelierOptions.Previews"/> asks for it.</param>
/// <param name="Picture">The picture that this is about, or the first of them, counted from 0 over all that were asked for.</param>
/// <param name="Pictures">How many pictures this is about: those of a pass while they are denoised together, one while it is decoded.</param>
public readonly record struct GenerationProgress(GenerationPhase Phase, int Step, int Steps, TimeSpan Elapsed, LatentPreview? Preview, int Picture = 0, int Pictures = 1);

/// <summary>What is being done.</summary>
public enum GenerationPhase
{
    /// <summary>Waiting for an earlier picture.</summary>
    Queued,

    /// <summary>Encoding the prompt.</summary>
    Encoding,

    /// <summary>Denoising.</summary>
    Denoising,

    /// <summary>Decoding the latents.</summary>
    Decoding,

    /// <summary>Finished.</summary>
    Done,
}

/// <summary>
/// A rough picture of latents by a fixed linear map of their four channels; an eighth of the picture's size a side. Pictures that are denoised
/// together lie on one sheet, in rows from the top left.
/// </summary>
/// <param name="Width">Width in px, of the whole sheet.</param>
/// <param name="Height">Height in px, of the whole sheet.</param>
/// <param name="Pixels">[Height, Width, 3] interleaved RGB, 8 bits a channel. Valid only during the report: it is overwritten by the next step.</param>
/// <param name="Columns">Pictures in a row of the sheet.</param>
public sealed record LatentPreview(int Width, int Height, ReadOnlyMemory<byte> Pixels, int Columns = 1);

/// <summary>Where the opening of a model stands.</summary>
/// <param name="Phase">What is being done, in words.</param>
/// <param name="Fraction">How much of it is done, 0 to 1.</param>
public readonly record struct LoadProgress(string Phase, double Fraction);
