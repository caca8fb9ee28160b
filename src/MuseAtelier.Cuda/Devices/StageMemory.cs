using MuseAtelier.Format;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The memory of one stage's weights.</summary>
/// <param name="range">The weights in the package, which identify them.</param>
/// <param name="placement">The place of the weights.</param>
internal sealed class StageMemory(WeightRange range, StagePlacement placement)
{
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
            stages[i] = new StageMemory(range, isElsewhere ? placement : StagePlacement.Resident);
        }

        return stages;
    }

    /// <summary>Device address of one of the stage's weights.</summary>
    public nint Address(WeightSpec weight) => Device + (nint)(weight.Offset - range.Offset);

    /// <summary>Reads the weights into pinned memory. Does nothing if the system has no more pinned memory.</summary>
    public void FillHost(WeightFiles files)
    {
        PinnedBuffer? host = PinnedBuffer.TryTake(Bytes);
        if (host is null) return;
        try
        {
            files.Read(range, host.Address);
        }
        catch
        {
            host.Dispose();
            throw;
        }

        Host = host;
    }
}
