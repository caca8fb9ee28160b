using MuseAtelier.Recipe;

namespace MuseAtelier.Residency;

/// <summary>
/// Lists which weights may be streamed: the placements of the UNet and of the components before the steps that are worth considering. Which
/// of them a budget allows, and which is taken, is decided in <see cref="ResidencySearch"/>.
/// </summary>
/// <param name="request">The pictures, the offload mode and the memory that may be pinned.</param>
/// <param name="device">The costs of the device.</param>
internal sealed class StreamingChoices(ResidencyRequest request, DeviceProfile device)
{
    /// <summary>Sizes of the UNet's streaming buffer that are tried, in halves of the least size.</summary>
    private static readonly int[] BufferSizes = [ComponentChoice.LeastBuffer, 3, 4];

    /// <summary>
    /// The placements of the UNet. The UNet has the first claim on pinned memory, because its weights are copied in every step.
    /// </summary>
    public IReadOnlyList<UNetPlacement> UNets(BatchPart unet) =>
        Undominated([.. AllUNets(unet)], static (one, other) => one.IsNoBetterThan(other));

    /// <summary>The placements of the components that run before the steps.</summary>
    /// <param name="before">The components.</param>
    /// <param name="unet">The UNet.</param>
    /// <param name="batches">Number of batches that all pictures take.</param>
    public IReadOnlyList<ConditioningPlacement> Conditionings(IReadOnlyList<BatchPart> before, BatchPart unet, int batches)
    {
        IReadOnlyList<IReadOnlyList<string>> sets = PipelineRecipe.StreamedBeforeSteps;
        IEnumerable<IReadOnlyList<string>> streamed = device.MapsWeights ? sets.Take(1) : sets;
        List<ConditioningPlacement> placements = [.. streamed.Select(set => Conditioning(before, unet, batches, set))];
        return Undominated(placements, static (one, other) => one.IsNoBetterThan(other));
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

    private IEnumerable<UNetPlacement> AllUNets(BatchPart unet)
    {
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
                    foreach (int size in sizes) yield return UNet(unet, spread, size, rotatesSessions: false);
                }

                yield return UNet(unet, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
            case OffloadMode.Resident:
                yield return UNet(unet, spreads[0], ComponentChoice.LeastBuffer, rotatesSessions: false);
                break;
            case OffloadMode.Stream:
                foreach (int size in BufferSizes) yield return UNet(unet, all, size, rotatesSessions: false);
                break;
            case OffloadMode.Rotate:
                yield return UNet(unet, all, ComponentChoice.LeastBuffer, rotatesSessions: true);
                break;
        }
    }

    private UNetPlacement UNet(BatchPart unet, bool[] isStreamed, int bufferSize, bool rotatesSessions)
    {
        var choice = new ComponentChoice(unet.Component, unet.Work, isStreamed, bufferSize, request.PinnedBytes, device);
        double plain = choice.Seconds(request.Steps, device.OperationsPerSecond, device.StepSeconds);
        double captured = choice.Seconds(request.Steps, device.OperationsPerSecond, device.StepSeconds, device.CapturedShare);
        return new UNetPlacement(choice, rotatesSessions, plain, captured, Modes(rotatesSessions));
    }

    private RunMode[] Modes(bool rotatesSessions)
    {
        var least = new RunMode(KeepsArena: false, Captures: false, DecoderStays: false, KeepsDecodingArena: false);
        if (rotatesSessions) return [least];
        RunMode decoder = least with { DecoderStays = true };
        RunMode arena = decoder with { KeepsArena = true };
        if (device.CaptureBytes is null) return [arena with { KeepsDecodingArena = true }, decoder, least];
        RunMode captured = arena with { Captures = true };
        return [captured with { KeepsDecodingArena = true }, captured, decoder, least];
    }

    // Streamed components are copied once per batch. They come from the mapped file where the UNet might need all the memory that can be
    // pinned.
    private ConditioningPlacement Conditioning(
        IReadOnlyList<BatchPart> before, BatchPart unet, int batches, IReadOnlyList<string> streamed)
    {
        long pinnable = Math.Max(0, request.PinnedBytes - unet.WeightBytes);
        List<ComponentChoice> choices = [];
        foreach (BatchPart part in before)
        {
            bool[] isStreamed = new bool[part.Work.Length];
            Array.Fill(isStreamed, streamed.Contains(part.Entry.Name));
            var choice = new ComponentChoice(part.Component, part.Work, isStreamed, ComponentChoice.LeastBuffer, pinnable, device);
            choices.Add(choice);
            pinnable -= choice.PinnedBytes;
        }

        int texts = (request.Guided ? 2 : 1) * request.PromptChunks;
        return new ConditioningPlacement(
            choices, texts * SecondsOf(RunFrequency.PerPrompt), SecondsOf(RunFrequency.PerBatch), batches);

        double SecondsOf(RunFrequency frequency) => before.Zip(choices)
            .Where(part => part.First.Entry.Frequency == frequency)
            .Sum(part => part.Second.Seconds(1, device.NarrowOperationsPerSecond));
    }
}
