using MuseAtelier.Diagnostics;

namespace MuseAtelier.Pipeline;

/// <summary>Makes room for a plan, puts it in force, and frees after each batch the memory that the plan does not keep.</summary>
/// <param name="parts">The loaded parts; borrowed.</param>
/// <param name="diagnostics">Receives a message of each plan; borrowed.</param>
internal sealed class PlanApplier(LoadedParts parts, AtelierDiagnostics diagnostics)
{
    /// <summary>
    /// Bytes of working memory that earlier batches left in the arenas and in the decoder, by the kind of picture that can reuse them.
    /// </summary>
    private readonly Dictionary<PictureKind, long> _kept = [];

    // The plan in force; null before the first one.
    private ResidencyPlan? _inForce;

    /// <summary>Puts a plan in force. Does nothing if it already is.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="available">Bytes of the device's memory that plans may take.</param>
    public void Apply(ResidencyPlan plan, long available)
    {
        if (plan == _inForce) return;
        MakeRoom(plan, available);
        parts.Apply(plan);
        _inForce = plan;
        ResidencyRequest request = plan.Request;
        AtelierLog.PlanChosen(
            diagnostics.Logger, diagnostics.Name, request.Width, request.Height, plan.BatchSize, plan.Offload.ToString(), plan.PeakBytes);
    }

    /// <summary>Frees the memory that the plan does not keep after a batch.</summary>
    /// <param name="plan">The plan that was in force.</param>
    /// <param name="isWhole">Whether the batch was painted to its end.</param>
    public void EndBatch(ResidencyPlan plan, bool isWhole)
    {
        // A decoder whose sessions rotate makes room for the other phases. A batch that was stopped has not given its working memory back.
        if (plan.Decoder.HasRotatingSessions || (!isWhole && !plan.KeepsDecodingArena)) parts.Decoder.Release();

        // A plan that does not keep the arena shrinks it at its last run, which also frees the memory that earlier pictures left there.
        if (isWhole && !plan.KeepsArena) _kept.Clear();
        else _kept[PictureKind.Of(plan)] = KeptBytes(plan);
    }

    /// <summary>Releases everything that is loaded, and the memory that arenas keep.</summary>
    public void ReleaseAll()
    {
        parts.ReleaseAll();
        TrimArenas();
    }

    private static long KeptBytes(ResidencyPlan plan) => plan.Phases.First(phase => phase.Phase == PlanPhase.Denoising).Shares
        .Where(share => share.Name is ResidencyPlan.WorkingMemoryShare or ResidencyPlan.DecoderShare)
        .Sum(share => share.Bytes);

    // Arena chunks that were cached for one picture size cannot be reused for a larger one, so they are freed before a plan is loaded that
    // needs their room.
    private void MakeRoom(ResidencyPlan plan, long available)
    {
        var kind = PictureKind.Of(plan);
        long left = _kept.Where(kept => kept.Key != kind).Sum(kept => kept.Value);
        if (left > Math.Min(plan.Request.Budget, available) - plan.PeakBytes) TrimArenas();
    }

    private void TrimArenas()
    {
        parts.TrimArenas();
        _kept.Clear();
    }

    /// <summary>The properties of a plan that decide the sizes of working memory.</summary>
    private readonly record struct PictureKind(
        int Width, int Height, int Rows, int UnguidedRows, int PromptChunks, PictureFrame? Frame, TilePlan Decoding)
    {
        public static PictureKind Of(ResidencyPlan plan)
        {
            ResidencyRequest request = plan.Request;
            int rows = plan.BatchSize * request.RowsPerPicture;
            int unguidedRows = request.StepsOfThePromptAlone > 0 ? plan.BatchSize : 0;
            return new PictureKind(
                request.Width, request.Height, rows, unguidedRows, request.PromptChunks, request.Frame, plan.Decoding);
        }
    }
}
