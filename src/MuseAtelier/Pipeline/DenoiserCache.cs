using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The denoiser of the last shape, which is replaced when the shape changes; the denoisers of the last two shapes where the plan in force
/// has memory for two passes.
/// </summary>
/// <param name="package">The package; borrowed.</param>
/// <param name="sessions">The sessions and weights; borrowed.</param>
/// <param name="device">The device that runs; borrowed.</param>
internal sealed class DenoiserCache(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    // The one that was used last is at the end.
    private readonly List<Denoiser> _denoisers = [];
    private int _most = 1;

    /// <summary>Computes keys, values and time embeddings for a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="sets">[sets][rows] the embeddings of every row, for each set of prompts.</param>
    /// <param name="run">The options of the runs.</param>
    /// <returns>The denoiser, ready for the batch's first step; owned by this cache.</returns>
    public Denoiser Prepare(PictureBatch batch, IReadOnlyList<PromptEmbeds[]> sets, RunScope run)
    {
        PictureRequest request = batch.Request;
        PromptEmbeds[] rows = sets[0];
        var shape = new PictureShape(rows.Length, batch.LatentHeight, batch.LatentWidth, 1) { Tokens = rows[0].Tokens };
        EvaluationCondition[] evaluations = batch.Recipe.Conditions(batch.Prompts.SetOfStep);
        int first = batch.Recipe.FirstEvaluation;
        int unguidedRows = evaluations.Skip(first).All(evaluation => evaluation.HasAllRows) ? 0 : batch.Slot.BatchSize;
        Denoiser denoiser = For(shape, unguidedRows);
        MicroConditioning conditioning =
            request.Conditioning ?? new MicroConditioning(request.Width, request.Height, 0, 0, request.Width, request.Height);
        float[] timeIds =
        [
            conditioning.OriginalHeight,
            conditioning.OriginalWidth,
            conditioning.CropTop,
            conditioning.CropLeft,
            conditioning.TargetHeight,
            conditioning.TargetWidth,
        ];
        denoiser.Prepare(new BatchConditions(sets, timeIds, evaluations) { FirstEvaluation = first }, run.Options, run.Token);
        return denoiser;
    }

    /// <summary>Frees what only the steps need: sessions created ahead, swapped-out weights and the streaming buffers.</summary>
    public void ReleaseIdle() => sessions.ReleaseIdle();

    /// <summary>
    /// Frees the denoiser and the memory of sets of prompts that a plan does not count. With two passes, both denoisers stay where their
    /// steps are captured.
    /// </summary>
    /// <param name="plan">The plan.</param>
    public void Limit(ResidencyPlan plan)
    {
        _most = plan is { OtherPass: not null, CapturesSteps: true } ? 2 : 1;
        RemoveAllBut(_most);
        foreach (Denoiser denoiser in _denoisers) denoiser.LimitSets(plan.Request.PromptSets);
    }

    /// <summary>Disposes the denoisers, and with them their bindings and their captured steps.</summary>
    public void Release() => RemoveAllBut(0);

    /// <inheritdoc/>
    public void Dispose() => Release();

    private Denoiser For(PictureShape shape, int unguidedRows)
    {
        Denoiser? denoiser = _denoisers.Find(known => known.Shape == shape && known.UnguidedRows == unguidedRows);
        if (denoiser is null)
        {
            // The memory of the denoiser that is replaced must be free before.
            RemoveAllBut(_most - 1);
            denoiser = new Denoiser(package, shape, sessions, device, unguidedRows);
        }
        else
        {
            _denoisers.Remove(denoiser);
        }

        _denoisers.Add(denoiser);
        return denoiser;
    }

    private void RemoveAllBut(int most)
    {
        while (_denoisers.Count > most)
        {
            _denoisers[0].Dispose();
            _denoisers.RemoveAt(0);
        }
    }
}
