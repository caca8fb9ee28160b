using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>
/// Lists which weights may be streamed: the placements of the UNet and of the components before the steps that are worth considering. Which
/// of them a budget allows, and which is taken, is decided in <see cref="ResidencySearch"/>.
/// </summary>
/// <param name="request">The pictures, the offload mode and the memory that may be pinned.</param>
/// <param name="device">The costs of the device.</param>
/// <param name="promptSetBytes">Bytes of pinned memory that several sets of prompts take from the weights.</param>
internal sealed class StreamingChoices(ResidencyRequest request, DeviceProfile device, long promptSetBytes)
{
    /// <summary>Sizes of the UNet's streaming buffer that are tried, in halves of the least size.</summary>
    private static readonly int[] BufferSizes = [ComponentChoice.LeastBuffer, 3, 4];

    private readonly long _pinnedBytes = Math.Max(0, request.PinnedBytes - promptSetBytes);

    /// <summary>
    /// The placements of the UNet. The UNet has the first claim on pinned memory, because its weights are copied in every step.
    /// </summary>
    public IReadOnlyList<UNetPlacement> UNets(BatchParts parts) =>
        Undominated([.. AllUNets(parts)], static (one, other) => one.IsNoBetterThan(other));

    /// <summary>
    /// All placements of the UNet: the same ones in the same order for pictures of every size, so that two sizes can share one.
    /// </summary>
    public IReadOnlyList<UNetPlacement> SharedUNets(BatchParts parts) => [.. AllUNets(parts)];

    /// <summary>The placements of the components that run before the steps.</summary>
    /// <param name="parts">The components.</param>
    /// <param name="batches">Number of batches that all pictures take.</param>
    public IReadOnlyList<ConditioningPlacement> Conditionings(BatchParts parts, int batches) =>
        Undominated([.. SharedConditionings(parts, batches)], static (one, other) => one.IsNoBetterThan(other));

    /// <summary>
    /// All placements of the components that run before the steps: the same ones in the same order for pictures of every size.
    /// </summary>
    /// <param name="parts">The components.</param>
    /// <param name="batches">Number of batches that all pictures take.</param>
    public IReadOnlyList<ConditioningPlacement> SharedConditionings(BatchParts parts, int batches)
    {
        IReadOnlyList<IReadOnlyList<string>> sets = PipelineRecipe.StreamedBeforeSteps;
        IEnumerable<IReadOnlyList<string>> streamed = device.MapsWeights ? sets.Take(1) : sets;
        return [.. streamed.Select(set => Conditioning(parts, batches, set))];
    }

    // Removes each placement that is in no respect better than another one; of equal placements the first stays.
    private static List<T> Undominated<T>(List<T> placements, Func<T, T, bool> isNoBetter)
    {
        List<T> left = [];
        for (int i = 0; i < placements.Count; i++)
            if (!IsDominated(i)) left.Add(placements[i]);
        return left;

        bool IsDominated(int one)
        {
            for (int other = 0; other < placements.Count; other++)
            {
                if (other == one || !isNoBetter(placements[one], placements[other])) continue;
                if (other < one || !isNoBetter(placements[other], placements[one])) return true;
            }

            return false;
        }
    }

    private IEnumerable<UNetPlacement> AllUNets(BatchParts parts)
    {
        BatchPart unet = parts.UNet;
        bool[][] spreads = device.MapsWeights
            ? [new bool[unet.Work.Length]]
            : [.. ComponentChoice.EvenSpreads(unet.Component, device)];
        bool[] all = [.. unet.Component.Stages.Select(stage => stage.Weights.Count > 0)];
        switch (request.Offload)
        {
            case OffloadMode.Auto:
                foreach (bool[] spread in spreads)
                {
                    int[] sizes = spread.Any(streamed => streamed) ? BufferSizes : [ComponentChoice.LeastBuffer];
                    foreach (int size in sizes) yield return UNet(parts, spread, size, rotatesSessions: false);
                }

                yield return UNet(parts, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
            case OffloadMode.Resident:
                yield return UNet(parts, spreads[0], ComponentChoice.LeastBuffer, rotatesSessions: false);
                break;
            case OffloadMode.Stream:
                foreach (int size in BufferSizes) yield return UNet(parts, all, size, rotatesSessions: false);
                break;
            case OffloadMode.Rotate:
                yield return UNet(parts, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
        }
    }

    private UNetPlacement UNet(BatchParts parts, bool[] isStreamed, int bufferSize, bool rotatesSessions)
    {
        var choice = new ComponentChoice(parts.UNet.Component, parts.UNet.Work, isStreamed, bufferSize, _pinnedBytes, device);
        return new UNetPlacement(choice, rotatesSessions, Steps(1), Steps(device.CapturedShare), Modes(rotatesSessions))
        {
            SpareBytes = _pinnedBytes - choice.PinnedBytes,
        };

        StepSeconds Steps(double workShare)
        {
            double guided = choice.Seconds(parts.GuidedSteps, device.OperationsPerSecond, device.StepSeconds, workShare);
            if (parts.UnguidedUNet is not { } alone) return new StepSeconds(guided, 0, SwitchSeconds(parts));
            double unguided = choice.Seconds(
                request.StepsOfThePromptAlone, device.OperationsPerSecond, device.StepSeconds, workShare, alone.Work);
            return new StepSeconds(guided, unguided, SwitchSeconds(parts));
        }
    }

    // A set of prompts is copied to the device where it differs from that of the step before: at most in every step.
    private double SwitchSeconds(BatchParts parts) =>
        request.PromptSets > 1 ? request.Steps * parts.CrossAttention.TensorBytes / device.CopyBytesPerSecond : 0;

    private RunMode[] Modes(bool rotatesSessions)
    {
        var least = new RunMode(KeepsArena: false, Captures: false, DecoderStays: false, KeepsDecodingArena: false);
        if (rotatesSessions) return [least];
        RunMode decoder = least with { DecoderStays = true };
        RunMode arena = decoder with { KeepsArena = true };
        if (device.CaptureBytes is null) return [arena with { KeepsDecodingArena = true }, decoder, least];
        RunMode captured = arena with { Captures = true };
        RunMode[] modes = [captured with { KeepsDecodingArena = true }, captured, decoder];
        // An encoder that stays saves less than a second for a batch, which counts where a batch takes no longer itself.
        IEnumerable<RunMode> staying = request.EncodesSource ? modes.Select(mode => mode with { EncoderStays = true }) : [];
        return [.. staying, .. modes, least];
    }

    // Streamed components are copied once per batch. They come from the mapped file where the UNet might need all the memory that can be
    // pinned.
    private ConditioningPlacement Conditioning(BatchParts parts, int batches, IReadOnlyList<string> streamed)
    {
        IReadOnlyList<BatchPart> before = parts.BeforeSteps;
        long pinnable = Math.Max(0, _pinnedBytes - parts.UNet.WeightBytes);
        List<ComponentChoice> choices = [];
        foreach (BatchPart part in before)
        {
            bool[] isStreamed = new bool[part.Work.Length];
            Array.Fill(isStreamed, streamed.Contains(part.Entry.Name));
            var choice = new ComponentChoice(part.Component, part.Work, isStreamed, ComponentChoice.LeastBuffer, pinnable, device);
            choices.Add(choice);
            pinnable -= choice.PinnedBytes;
        }

        return new ConditioningPlacement(
            choices, request.TextRuns * SecondsOf(RunFrequency.PerPrompt), request.PromptSets * SecondsOf(RunFrequency.PerBatch), batches);

        double SecondsOf(RunFrequency frequency) => before.Zip(choices)
            .Where(part => part.First.Entry.Frequency == frequency)
            .Sum(part => part.Second.Seconds(1, device.NarrowOperationsPerSecond));
    }
}
