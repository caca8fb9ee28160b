namespace MuseAtelier;

/// <summary>The memory that a picture took on the device.</summary>
public sealed record PictureMemory
{
    internal PictureMemory(ResidencyPlan plan, IReadOnlyList<PhaseMemory> phases, long? arenaUsedBytes) =>
        (Plan, Phases, ArenaUsedBytes) = (plan, phases, arenaUsedBytes);

    /// <summary>The plan in force, with its estimated peak.</summary>
    public ResidencyPlan Plan { get; init; }

    /// <summary>The memory of each phase, in order.</summary>
    public IReadOnlyList<PhaseMemory> Phases { get; init; }

    /// <summary>
    /// Peak bytes in use in the shared arena since it was created, as reported by ONNX Runtime. VAE sessions use their own arenas and are
    /// not included. Null if <see cref="AtelierOptions.WatchMemory"/> is off, or if sessions have arenas of their own.
    /// </summary>
    public long? ArenaUsedBytes { get; init; }

    /// <summary>
    /// Peak bytes that the process held while the picture was painted, as the driver counts it. Null if
    /// <see cref="AtelierOptions.WatchMemory"/> is off, or if the device does not report it.
    /// </summary>
    public long? PeakBytes => Phases.Max(phase => phase.PeakBytes);

    /// <summary>
    /// Peak bytes that the shared arena held while the picture was painted, in use or not; null as for <see cref="ArenaUsedBytes"/>.
    /// </summary>
    public long? ArenaHeldBytes => Phases.Max(phase => phase.ArenaHeldBytes);
}

/// <summary>The memory that a phase of a picture took.</summary>
public sealed record PhaseMemory
{
    internal PhaseMemory(PlanPhase phase, long plannedBytes, long? peakBytes, long? arenaHeldBytes)
    {
        Phase = phase;
        PlannedBytes = plannedBytes;
        PeakBytes = peakBytes;
        ArenaHeldBytes = arenaHeldBytes;
    }

    /// <summary>The phase.</summary>
    public PlanPhase Phase { get; init; }

    /// <summary>The bytes of the plan.</summary>
    public long PlannedBytes { get; init; }

    /// <summary>
    /// Peak bytes that the process held during the phase, as the driver counts it; on a processor, of anonymous memory. Null if memory was
    /// not watched, or if the device does not report it.
    /// </summary>
    public long? PeakBytes { get; init; }

    /// <summary>
    /// Peak bytes that the shared arena held during the phase. Null if memory was not watched, or if sessions have arenas of their own.
    /// </summary>
    public long? ArenaHeldBytes { get; init; }
}
