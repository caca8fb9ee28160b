using System.Diagnostics;
using MuseAtelier.Conditioning;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>Paints a batch: the phases of <see cref="Recipe.PipelineRecipe"/>, one after the other.</summary>
/// <param name="prompts">Encodes prompts.</param>
/// <param name="denoisers">Prepares the denoiser; borrowed.</param>
/// <param name="decoding">Decodes pictures.</param>
/// <param name="meter">Measures the memory of the phases.</param>
/// <param name="device">The device that runs; borrowed.</param>
/// <param name="hasPreviews">Whether progress reports carry previews.</param>
internal sealed class PicturePipeline(
    PromptRows prompts, DenoiserCache denoisers, BatchDecoding decoding, PhaseMeter meter, ExecutionDevice device, bool hasPreviews)
{
    /// <summary>Paints a batch, and hands over each picture as soon as it is decoded.</summary>
    /// <param name="batch">The batch, with the plan that is in force.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(PictureBatch batch, CancellationToken cancellationToken)
    {
        // 1. All runs of the batch share one run option: terminating it stops a run in the middle of a step.
        using var run = new RunScope(device, cancellationToken);

        // 2. Encode the prompts, unless they were encoded before.
        long begin = Stopwatch.GetTimestamp();
        batch.Report(GenerationPhase.Encoding, 0);
        IReadOnlyList<PromptEmbeds[]> sets = prompts.Encode(batch, run);
        meter.End(batch, PlanPhase.Text);

        // 3. Compute keys and values of every set of prompts, and time embeddings, once per batch.
        Denoiser denoiser = denoisers.Prepare(batch, sets, run);
        meter.End(batch, PlanPhase.Conditioning);
        batch.TextTime = Stopwatch.GetElapsedTime(begin);

        // 4. Denoise: draw the initial noise and run all steps. Afterwards free what only the steps need.
        using var denoising = new BatchDenoising(batch, denoiser, hasPreviews, device);
        denoising.Run(run);
        meter.End(batch, PlanPhase.Denoising);
        denoisers.ReleaseIdle();

        // 5. Decode one picture after the other.
        for (int picture = 0; picture < batch.Count; picture++) decoding.Decode(batch, denoising, picture, run);
    }
}
