using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The memory of one stage's weights.</summary>
/// <param name="range">The weights in the package, which identify them.</param>
/// <param name="placement">The place of the weights.</param>
/// <param name="weights">The weights in the order of their offsets.</param>
internal sealed class StageMemory(WeightRange range, StagePlacement placement, IReadOnlyList<WeightSpec> weights)
{
    private readonly Lock _gate = new();
    private bool _triedToPin;

    /// <summary>The weights in the package: the bytes of which the memory holds a copy.</summary>
    public WeightRange Range => range;

    /// <summary>The place of the weights.</summary>
    public StagePlacement Placement => placement;

    /// <summary>Size in bytes.</summary>
    public long Bytes => range.Length;

    /// <summary>Device address of the first byte.</summary>
    public nint Device { get; set; }

    /// <summary>The copy in pinned memory; null if there is none.</summary>
    public PinnedBuffer? Host { get; private set; }

    /// <summary>The memory of each of a component's stages; null for a stage without weights.</summary>
    /// <param name="component">The component.</param>
    /// <param name="plan">
    /// The places of the weights, by stage. Any place but swapped out, streamed and staged means resident, as does null for the plan.
    /// </param>
    public static StageMemory?[] OfStages(ComponentSpec component, ComponentPlan? plan)
    {
        var stages = new StageMemory?[component.Stages.Count];
        for (int i = 0; i < stages.Length; i++)
        {
            if (component.Stages[i].WeightRange is not { } range) continue;
            StagePlacement placement = plan?.Stages[i].Placement ?? StagePlacement.Resident;
            bool isElsewhere = placement is StagePlacement.SwappedOut or StagePlacement.Streamed or StagePlacement.Staged;
            stages[i] = new StageMemory(range, isElsewhere ? placement : StagePlacement.Resident, component.Stages[i].Weights);
        }

        return stages;
    }

    /// <summary>Device address of one of the stage's weights.</summary>
    public nint Address(WeightSpec weight) => Device + (nint)(weight.Offset - range.Offset);

    /// <summary>Whether LoRAs change a weight of the stage.</summary>
    /// <param name="loras">The LoRAs; null if there are none.</param>
    public bool IsChangedBy(AppliedLoras? loras) => loras is not null && weights.Any(loras.Touches);

    /// <summary>
    /// The stage's bytes in parts, in order: each weight that LoRAs change is a part of its own, and the bytes between them are cut into
    /// pieces.
    /// </summary>
    /// <param name="loras">The LoRAs; null if there are none.</param>
    /// <param name="pieceBytes">The most bytes of a piece.</param>
    /// <param name="isKept">Weights for which it is true are left out; null leaves out none.</param>
    public IEnumerable<StagePart> Parts(AppliedLoras? loras, long pieceBytes, Func<WeightSpec, bool>? isKept = null)
    {
        long next = 0;
        foreach (WeightSpec weight in weights)
        {
            bool isChanged = loras?.Touches(weight) == true;
            if (!isChanged && isKept?.Invoke(weight) != true) continue;
            long offset = weight.Offset - range.Offset;
            foreach (StagePart piece in Pieces(next, offset)) yield return piece;
            if (isChanged) yield return new StagePart(offset, weight.Bytes, weight);
            next = offset + weight.Bytes;
        }

        foreach (StagePart piece in Pieces(next, Bytes)) yield return piece;

        IEnumerable<StagePart> Pieces(long from, long end)
        {
            for (long done = from; done < end; done += pieceBytes)
                yield return new StagePart(done, Math.Min(pieceBytes, end - done), null);
        }
    }

    /// <summary>The weights of a part that LoRAs change.</summary>
    /// <param name="part">The part.</param>
    /// <param name="loras">The LoRAs; null if there are none.</param>
    public IEnumerable<WeightSpec> ChangedIn(StagePart part, AppliedLoras? loras)
    {
        if (loras is null) return [];
        long begin = range.Offset + part.Offset;
        return weights.Where(weight => weight.Offset >= begin && weight.Range.End <= begin + part.Bytes && loras.Touches(weight));
    }

    /// <summary>
    /// The copy in pinned memory, which the first call allocates; null if the system had no more pinned memory then. May be called on any
    /// thread.
    /// </summary>
    public PinnedBuffer? Pin()
    {
        lock (_gate)
        {
            if (!_triedToPin) Host = PinnedBuffer.TryTake(Bytes);
            _triedToPin = true;
            return Host;
        }
    }
}

/// <summary>A part of a stage's weights.</summary>
/// <param name="Offset">Its first byte, counted from the stage's first byte.</param>
/// <param name="Bytes">Number of bytes.</param>
/// <param name="Changed">The weight that LoRAs change; null for bytes that stay as they are in the package.</param>
internal readonly record struct StagePart(long Offset, long Bytes, WeightSpec? Changed)
{
    /// <summary>The part in the package.</summary>
    /// <param name="stage">The stage's weights in the package.</param>
    public WeightRange Within(WeightRange stage) => new(stage.File, stage.Offset + Offset, Bytes);
}
