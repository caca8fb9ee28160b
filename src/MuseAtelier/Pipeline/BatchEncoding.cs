using System.Diagnostics;
using MuseAtelier.Conditioning;
using MuseAtelier.Diagnostics;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Encodes the prompts and the source of a batch, and prepares the denoiser for it.</summary>
/// <param name="prompts">Encodes prompts.</param>
/// <param name="denoisers">Prepares the denoiser; borrowed.</param>
/// <param name="sources">Encodes sources.</param>
/// <param name="meter">Measures the memory of the phases.</param>
/// <param name="metrics">Receives the time of each phase; borrowed.</param>
internal sealed class BatchEncoding(
    PromptRows prompts, DenoiserCache denoisers, SourceEncoder sources, PhaseMeter meter, AtelierMetrics metrics)
{
    /// <summary>Encodes everything that the steps read.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="run">The options of the runs.</param>
    /// <returns>The denoiser, ready for the batch's first step.</returns>
    public Denoiser Encode(PictureBatch batch, RunScope run)
    {
        using Activity? activity = AtelierActivities.StartPhase(AtelierTelemetry.EncodeActivity);

        // Encode the prompts, unless they were encoded before.
        long begin = Stopwatch.GetTimestamp();
        batch.Report(GenerationPhase.Encoding, 0);
        IReadOnlyList<PromptEmbeds[]> sets = prompts.Encode(batch, run);
        TimeSpan textTime = Stopwatch.GetElapsedTime(begin);
        meter.End(batch, PlanPhase.Text);
        metrics.PhaseEnded(PlanPhase.Text, textTime);

        // Compute keys and values of every set of prompts, and time embeddings, once per batch.
        Denoiser denoiser = denoisers.Prepare(batch, sets, run);
        meter.End(batch, PlanPhase.Conditioning);
        batch.TextTime = Stopwatch.GetElapsedTime(begin);
        metrics.PhaseEnded(PlanPhase.Conditioning, batch.TextTime - textTime);

        // Encode the source, unless that was done for an earlier batch of the series.
        if (sources.Encode(batch, run))
        {
            meter.End(batch, PlanPhase.Encoding);
            metrics.PhaseEnded(PlanPhase.Encoding, batch.EncodingTime);
        }

        return denoiser;
    }
}
