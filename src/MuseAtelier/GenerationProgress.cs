namespace MuseAtelier;

/// <summary>Where a picture's making stands. Reported on the engine's own thread: return quickly, and do not call back into the atelier.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Step">Steps that are finished.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Elapsed">Time since the picture began.</param>
/// <param name="Preview">The present latents as a rough picture, when <see cref="AtelierOptions.Previews"/> asks for it.</param>
public readonly record struct GenerationProgress(GenerationPhase Phase, int Step, int Steps, TimeSpan Elapsed, LatentPreview? Preview);

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

/// <summary>A rough picture of latents by a fixed linear map of their four channels; an eighth of the picture's size a side.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
/// <param name="Pixels">[Height, Width, 3] interleaved RGB, 8 bits a channel. Valid only during the report: it is overwritten by the next step.</param>
public sealed record LatentPreview(int Width, int Height, ReadOnlyMemory<byte> Pixels);

/// <summary>Where the opening of a model stands.</summary>
/// <param name="Phase">What is being done, in words.</param>
/// <param name="Fraction">How much of it is done, 0 to 1.</param>
public readonly record struct LoadProgress(string Phase, double Fraction);
