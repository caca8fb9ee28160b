using MuseAtelier.Diagnostics;
using MuseAtelier.Residency;

namespace MuseAtelier.Pipeline;

/// <summary>Makes room for a plan, puts it in force, and frees after each batch the memory that the plan does not keep.</summary>
/// <param name="parts">The loaded parts; borrowed.</param>
/// <param name="diagnostics">Receives a message of each plan; borrowed.</param>
internal sealed class PlanApplier(LoadedParts parts, AtelierDiagnostics diagnostics)
{
    /// <summary>
    /// Bytes of working memory that earlier batches left in the arenas and in the decoder, by the kind of picture that can reuse them.
    /// </summary>
    private readonly Dictionary<HeldKinds, long> _kept = [];

    // Bytes of the encoder's sessions, if they stayed after an earlier batch.
    private long _keptEncoder;

    // The plan in force; null before the first one.
    private ResidencyPlan? _inForce;

    /// <summary>Puts a plan in force. Does nothing if it already is.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="available">Bytes of the device's memory that plans may take.</param>
    public void Apply(ResidencyPlan plan, long available)
    {
        if (plan == _inForce) return;
        MakeRoom(plan, available);
        // Denoisers of other kinds of pictures are not among the two that the plan counts.
        if (plan.OtherPass is not null && (_inForce is null || HeldKinds.Of(_inForce) != HeldKinds.Of(plan))) parts.Denoisers.Release();
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
        else _kept[HeldKinds.Of(plan)] = KeptBytes(plan);
        if (plan.KeepsEncoder) _keptEncoder = SharesOf(plan, ResidencyPlan.EncoderShare);
        else if (plan.Encoding is not null) _keptEncoder = 0;
    }

    /// <summary>Releases everything that is loaded, and the memory that arenas keep.</summary>
    public void ReleaseAll()
    {
        parts.ReleaseAll();
        _keptEncoder = 0;
        TrimArenas();
    }

    private static long KeptBytes(ResidencyPlan plan) =>
        SharesOf(plan, ResidencyPlan.WorkingMemoryShare) + SharesOf(plan, ResidencyPlan.DecoderShare);

    // Bytes in the phase of denoising, in which only what stays is left of the other phases.
    private static long SharesOf(ResidencyPlan plan, string name) => plan.Phases
        .First(phase => phase.Phase == PlanPhase.Denoising).Shares.Where(share => share.Name == name).Sum(share => share.Bytes);

    // Arena chunks that were cached for one picture size cannot be reused for a larger one, so they are freed before a plan is loaded that
    // needs their room. An encoder of earlier pictures stays for later ones as long as there is room for it.
    private void MakeRoom(ResidencyPlan plan, long available)
    {
        long room = Math.Min(plan.Request.Budget, available) - plan.PeakBytes;
        HeldKinds kinds = HeldKinds.Of(plan);
        long left = _kept.Where(kept => kept.Key != kinds).Sum(kept => kept.Value);
        if (_keptEncoder > 0 && !plan.KeepsEncoder && left + _keptEncoder > room)
        {
            parts.ReleaseEncoder();
            _keptEncoder = 0;
        }

        if (left > room) TrimArenas();
    }

    private void TrimArenas()
    {
        parts.TrimArenas();
        _kept.Clear();
    }
}
