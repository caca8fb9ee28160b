using System.Diagnostics;
using MuseAtelier.Diagnostics;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Paints a batch: the phases of <see cref="Recipe.PipelineRecipe"/>, one after the other.</summary>
/// <param name="encoding">Encodes prompts and sources.</param>
/// <param name="denoisers">Hold the denoiser; borrowed.</param>
/// <param name="decoding">Decodes pictures.</param>
/// <param name="meter">Measures the memory of the phases.</param>
/// <param name="device">The device that runs; borrowed.</param>
/// <param name="previews">The least time between two previews; null means none.</param>
/// <param name="metrics">Receives the time of each phase; borrowed.</param>
internal sealed class PicturePipeline(
    BatchEncoding encoding,
    DenoiserCache denoisers,
    BatchDecoding decoding,
    PhaseMeter meter,
    ExecutionDevice device,
    TimeSpan? previews,
    AtelierMetrics metrics)
{
    /// <summary>Paints a batch, and hands over each picture as soon as it is decoded.</summary>
    /// <param name="batch">The batch, with the plan that is in force.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(PictureBatch batch, CancellationToken cancellationToken)
    {
        // 1. All runs of the batch share one run option: terminating it stops a run in the middle of a step.
        using var run = new RunScope(device, cancellationToken);

        // 2. Encode the prompts, and the source if there is one.
        Denoiser denoiser = encoding.Encode(batch, run);

        // 3. Denoise: draw the initial noise and run all steps. Afterwards free what only the steps need.
        using BatchDenoising denoising = Denoise(batch, denoiser, run);

        // 4. Decode one picture after the other.
        for (int picture = 0; picture < batch.Count; picture++) decoding.Decode(batch, denoising, picture, run);
    }

    private BatchDenoising Denoise(PictureBatch batch, Denoiser denoiser, RunScope run)
    {
        using Activity? activity = AtelierActivities.StartPhase(AtelierTelemetry.DenoiseActivity);
        var denoising = new BatchDenoising(batch, denoiser, previews, device, metrics);
        try
        {
            denoising.Run(run);
            meter.End(batch, PlanPhase.Denoising);
            metrics.PhaseEnded(PlanPhase.Denoising, denoising.Duration);
            denoisers.ReleaseIdle();
            return denoising;
        }
        catch
        {
            denoising.Dispose();
            throw;
        }
    }
}
