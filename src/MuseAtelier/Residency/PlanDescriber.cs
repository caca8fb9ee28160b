using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>Turns a candidate into a plan that names every stage's placement and every phase's memory.</summary>
/// <param name="model">The model's sizes.</param>
/// <param name="request">The pictures.</param>
/// <param name="device">The costs of the device.</param>
/// <param name="memory">The candidate's memory.</param>
/// <param name="time">The candidate's time.</param>
internal sealed class PlanDescriber(
    ModelSizes model, ResidencyRequest request, DeviceProfile device, PlanMemory memory, PlanTime time)
{
    /// <summary>Describes a candidate.</summary>
    /// <param name="c">The candidate.</param>
    /// <param name="budget">The budget that it fits, in bytes.</param>
    /// <param name="unlimitedSeconds">Seconds of a picture with an unlimited budget.</param>
    /// <param name="other">The other pass of the same pictures, if its memory is held as well.</param>
    public ResidencyPlan Describe(PlanCandidate c, long budget, double unlimitedSeconds, PictureKind? other = null)
    {
        (TilePlan? rescueTiles, long rescueBytes) = memory.Rescue(c, budget);
        long pinnedSwap = PlanTime.IsSwapPinned(c.UNet, c.SwappedOut) ? c.SwappedBytes : 0;
        var plan = new ResidencyPlan(request with { Budget = budget })
        {
            Offload = Offload(c.UNet),
            BatchSize = c.Batch.Pictures,
            Components = Components(c),
            StreamingBufferBytes = c.UNet.Choice.StreamingBufferBytes,
            PreparingBufferBytes = c.Conditioning.StreamingBufferBytes,
            PromptSetBytes = c.Batch.Memory.PromptSetBytes,
            PinnedBytes = c.Conditioning.PinnedBytes + c.UNet.Choice.PinnedBytes + pinnedSwap,
            CapturesSteps = c.Mode.Captures,
            KeepsArena = c.Mode.KeepsArena,
            KeepsDecodingArena = c.Mode.KeepsDecodingArena,
            MakesSessionsInParallel = memory.CreatesInParallel(c),
            Encoding = c.Tiles.Encoding is null ? null : c.Tiles.Tiles,
            Decoding = c.Tiles.Tiles,
            DecodingInFp32 = rescueTiles,
            DecodingInFp32Bytes = rescueBytes,
            Phases = memory.Shares(c),
            PeakBytes = memory.Phases(c).Max,
            Estimate = Estimate(c),
            UnlimitedSeconds = unlimitedSeconds,
            OtherPass = other,
            Explanation = [],
        };
        return plan with { Explanation = PlanNarrator.Tell(plan, device) };
    }

    private static OffloadMode Offload(UNetPlacement unet)
    {
        if (unet.RotatesSessions) return OffloadMode.Rotate;
        return unet.Choice.StreamedBytes > 0 ? OffloadMode.Stream : OffloadMode.Resident;
    }

    private PlanEstimate Estimate(PlanCandidate c)
    {
        double loading = time.LoadingSeconds(c.Mode) + time.SwappingSeconds(c.UNet, c.SwappedOut);
        double step = time.StepSeconds(c.UNet, c.Mode);
        ConditioningPlacement conditioning = c.Conditioning;
        return new PlanEstimate(
            conditioning.TextSeconds, conditioning.ConditioningSeconds, loading, step, c.Tiles.Seconds, c.BucketSeconds)
        {
            UnguidedStep = time.UnguidedStepSeconds(c.UNet, c.Mode),
            Encoding = time.EncodingSeconds(c.Tiles, c.Mode),
        };
    }

    // The encoder of the other pass is a part of this plan only where it stays loaded.
    private List<ComponentPlan> Components(PlanCandidate c) =>
    [
        .. memory.Components
            .Where(component => !component.Encodes || c.Tiles.Encoding is not null || c.Mode.EncoderStays)
            .Select(component => Component(component, c)),
    ];

    private ComponentPlan Component(PipelineComponent component, PlanCandidate c)
    {
        if (component.RunsInEveryStep)
            return Component(c.UNet.Choice, c.UNet.Choice.StreamingBufferBytes, c.SwappedOut, c.UNet.RotatesSessions);
        if (!component.RunsBeforeSteps)
            return Sessions(component.Name, IsReleased(component, c.Mode));
        ComponentChoice choice = c.Conditioning.Choices.First(choice => choice.Component.Name == component.Name);
        return Component(choice, c.Conditioning.StreamingBufferBytes);
    }

    private static bool IsReleased(PipelineComponent component, RunMode mode) =>
        (component.Encodes && !mode.EncoderStays) || (component.Decodes && !mode.DecoderStays);

    private ComponentPlan Component(
        ComponentChoice choice, long bufferBytes, int swappedOut = 0, bool rotatesSessions = false)
    {
        // The last resident stages are the ones that are swapped out, because the first ones are needed first.
        int stay = choice.Placements.Count(placement => placement == StagePlacement.Resident) - swappedOut;
        List<StagePlan> stages = [];
        for (int i = 0; i < choice.Placements.Length; i++)
        {
            StageSpec stage = choice.Component.Stages[i];
            StagePlacement placement = choice.Placements[i];
            if (placement == StagePlacement.Resident && stay-- <= 0) placement = StagePlacement.SwappedOut;
            stages.Add(placement switch
            {
                StagePlacement.Session => Session(stage, rotatesSessions, rotatesSessions ? device.RotatingSessions : device.KeptSessions),
                StagePlacement.Mapped => new StagePlan(stage.Name, StagePlacement.Mapped, 0),
                _ => new StagePlan(stage.Name, placement, choice.WeightBytes(i)),
            });
        }

        return new ComponentPlan(choice.Component.Name, stages) { Buffer = choice.LayOutBuffer(bufferBytes) };
    }

    // A component whose sessions hold all its weights.
    private ComponentPlan Sessions(string name, bool isReleased) =>
        new(name, [.. model.Component(name).Stages.Select(stage => Session(stage, isReleased, device.KeptSessions))]);

    private static StagePlan Session(StageSpec stage, bool rotates, SessionCost cost)
    {
        StagePlacement placement = rotates ? StagePlacement.RotatingSession : StagePlacement.Session;
        return new StagePlan(stage.Name, placement, (long)(stage.ConstantBytes * cost.HeldFactor));
    }
}
