using System.Diagnostics;

namespace MuseAtelier.Pipeline;

/// <summary>Reports the progress of a call. The steps of all its passes are counted together.</summary>
/// <param name="sink">Receives the reports; null if nobody does.</param>
/// <param name="start">Timestamp of the request.</param>
internal sealed class PassProgress(IProgress<GenerationProgress>? sink, long start)
{
    /// <summary>Evaluations of earlier passes.</summary>
    public int Before { get; init; }

    /// <summary>Evaluations of later passes.</summary>
    public int After { get; init; }

    /// <summary>Tiles that an upscaler enlarges between the passes; 0 without one.</summary>
    public int Tiles { get; init; }

    /// <summary>Whether anybody receives reports.</summary>
    public bool HasSink => sink is not null;

    /// <summary>The progress of the first of two passes.</summary>
    /// <param name="later">Evaluations of the second pass.</param>
    /// <param name="tiles">Tiles that an upscaler enlarges between the passes.</param>
    public PassProgress First(int later, int tiles) => new(sink, start) { After = later, Tiles = tiles };

    /// <summary>The progress of the second of two passes.</summary>
    /// <param name="earlier">Evaluations of the first pass.</param>
    /// <param name="tiles">Tiles that an upscaler enlarges between the passes.</param>
    public PassProgress Second(int earlier, int tiles) => new(sink, start) { Before = earlier, Tiles = tiles };

    /// <summary>Reports progress. A pass that another one follows decodes and ends nothing for the receiver.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="step">The number of finished evaluations of this pass.</param>
    /// <param name="steps">The evaluations of this pass.</param>
    /// <param name="preview">A preview of the latents, or null.</param>
    /// <param name="picture">Index of the first picture that the report is about.</param>
    /// <param name="count">The number of pictures that the report is about.</param>
    public void Report(GenerationPhase phase, int step, int steps, LatentPreview? preview, int picture, int count)
    {
        if (After > 0 && phase is GenerationPhase.Decoding or GenerationPhase.Done) return;
        Send(phase, step, steps, Before > 0 ? Tiles : 0, preview, picture, count);
    }

    /// <summary>Reports that an upscaler enlarges a picture for this pass, which has not begun.</summary>
    /// <param name="tile">The number of finished tiles.</param>
    /// <param name="steps">The evaluations of this pass.</param>
    /// <param name="picture">Index of the picture.</param>
    public void ReportTile(int tile, int steps, int picture) => Send(GenerationPhase.Enlarging, 0, steps, tile, null, picture, 1);

    private void Send(GenerationPhase phase, int step, int steps, int tile, LatentPreview? preview, int picture, int count) =>
        sink?.Report(new GenerationProgress
        {
            Phase = phase,
            Step = Before + step,
            Steps = Before + steps + After,
            Tile = tile,
            Tiles = Tiles,
            Elapsed = Stopwatch.GetElapsedTime(start),
            Preview = preview,
            Picture = picture,
            Pictures = count,
        });
}
