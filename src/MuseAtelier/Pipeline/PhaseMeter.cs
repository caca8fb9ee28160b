using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>Measures the memory of each phase, if the memory is watched, and states the planned memory beside it.</summary>
/// <param name="watch">The watch; null if the memory is not watched. Borrowed.</param>
internal sealed class PhaseMeter(DeviceMemoryWatch? watch)
{
    /// <summary>Adds the memory of a phase that has ended to its batch, and begins to measure the next phase.</summary>
    public void End(PictureBatch batch, PlanPhase phase) => batch.Memory.Add(Measure(phase, PlannedBytes(batch.Plan, phase)));

    /// <summary>The memory of a picture's decoding, which has ended. Begins to measure the next picture's decoding.</summary>
    /// <param name="plan">The plan in force.</param>
    /// <param name="isRescued">Whether the picture was decoded a second time, in fp32.</param>
    public PhaseMemory EndDecoding(ResidencyPlan plan, bool isRescued)
    {
        long planned = PlannedBytes(plan, PlanPhase.Decoding);
        return Measure(PlanPhase.Decoding, isRescued ? Math.Max(planned, plan.DecodingInFp32Bytes) : planned);
    }

    /// <summary>Begins to measure.</summary>
    public void Reset() => watch?.Reset();

    private static long PlannedBytes(ResidencyPlan plan, PlanPhase phase) => plan.Phases.First(planned => planned.Phase == phase).Bytes;

    private PhaseMemory Measure(PlanPhase phase, long plannedBytes)
    {
        var memory = new PhaseMemory(phase, plannedBytes, watch?.PeakBytes, watch?.ArenaPeakBytes);
        watch?.Reset();
        return memory;
    }
}
