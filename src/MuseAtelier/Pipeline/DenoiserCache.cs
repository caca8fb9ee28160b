using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>The denoiser of the last shape. It is replaced when the shape changes.</summary>
/// <param name="package">The package; borrowed.</param>
/// <param name="sessions">The sessions and weights; borrowed.</param>
/// <param name="device">The device that runs; borrowed.</param>
internal sealed class DenoiserCache(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private Denoiser? _denoiser;

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
        if (_denoiser is null || _denoiser.Shape != shape || _denoiser.UnguidedRows != unguidedRows)
        {
            Release();
            _denoiser = new Denoiser(package, shape, sessions, device, unguidedRows);
        }

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
        _denoiser.Prepare(new BatchConditions(sets, timeIds, evaluations) { FirstEvaluation = first }, run.Options, run.Token);
        return _denoiser;
    }

    /// <summary>Frees what only the steps need: sessions created ahead, swapped-out weights and the streaming buffers.</summary>
    public void ReleaseIdle() => sessions.ReleaseIdle();

    /// <summary>Frees the memory that more than a number of sets of prompts took in earlier batches.</summary>
    public void LimitSets(int sets) => _denoiser?.LimitSets(sets);

    /// <summary>Disposes the denoiser, and with it its bindings and its captured step.</summary>
    public void Release()
    {
        _denoiser?.Dispose();
        _denoiser = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Release();
}
