using MuseAtelier.Packages;

namespace MuseAtelier.Residency;

/// <summary>A component with some of its stages resident and the others streamed.</summary>
internal sealed class ComponentChoice
{
    private static readonly PictureShape Typical = new(2, 128, 128, 1);

    private readonly StageWork[] _work;
    private readonly DeviceProfile _device;

    /// <param name="component">The component.</param>
    /// <param name="work">What each stage costs.</param>
    /// <param name="isStreamed">Which of the stages whose weights can be moved are streamed.</param>
    /// <param name="pinnedBytes">Bytes of host memory that may be pinned for them; those beyond it are staged.</param>
    /// <param name="device">What the device costs.</param>
    public ComponentChoice(ComponentSpec component, StageWork[] work, bool[] isStreamed, long pinnedBytes, DeviceProfile device)
    {
        (Component, _work, _device) = (component, work, device);
        Placements = new StagePlacement[work.Length];
        for (int i = 0; i < work.Length; i++)
        {
            if (component.Stages[i].Weights.Count == 0)
            {
                Placements[i] = StagePlacement.Session;
            }
            else if (device.MapsWeights)
            {
                Placements[i] = StagePlacement.Mapped;
            }
            else if (!isStreamed[i])
            {
                Placements[i] = StagePlacement.Resident;
                ResidentBytes += work[i].WeightBytes;
            }
            else
            {
                bool isPinned = PinnedBytes + work[i].WeightBytes <= pinnedBytes;
                Placements[i] = isPinned ? StagePlacement.Streamed : StagePlacement.Staged;
                if (isPinned) PinnedBytes += work[i].WeightBytes;
                StreamedBytes += work[i].WeightBytes;
                SlotBytes = Math.Max(SlotBytes, work[i].WeightBytes);
            }
        }
    }

    public ComponentSpec Component { get; }

    /// <summary>Where each stage's weights are.</summary>
    public StagePlacement[] Placements { get; }

    /// <summary>Bytes of weights that stay.</summary>
    public long ResidentBytes { get; }

    /// <summary>Bytes that a run copies.</summary>
    public long StreamedBytes { get; }

    /// <summary>Bytes of host memory that is pinned for them.</summary>
    public long PinnedBytes { get; }

    /// <summary>Bytes of the largest streamed stage.</summary>
    public long SlotBytes { get; }

    /// <summary>Bytes of a stage's weights.</summary>
    public long WeightBytes(int stage) => _work[stage].WeightBytes;

    /// <summary>Seconds of several runs, one after the other.</summary>
    public double Seconds(int rounds, double operationsPerSecond, double workShare = 1)
    {
        double[] work = [.. _work.Select(stage => stage.Operations / operationsPerSecond)];
        double[] copies =
        [
            .. Placements.Select((placement, i) => placement switch
            {
                StagePlacement.Streamed => _work[i].WeightBytes / _device.CopyBytesPerSecond,
                StagePlacement.Staged => _work[i].WeightBytes / _device.StagedBytesPerSecond,
                _ => 0,
            }),
        ];
        return StageTimeline.Seconds(work, copies, rounds, workShare);
    }

    /// <summary>
    /// Ways to choose streamed stages, from none to all, each spread evenly among those that stay, so that copies hide behind work: evenly by
    /// number and evenly by time, begun at two places; of all stages, and of those alone that are no larger than the largest transformer block, so
    /// that slots are small. The same ways for every picture.
    /// </summary>
    public static IEnumerable<bool[]> EvenSpreads(ComponentSpec component)
    {
        StageWork[] work = [.. component.Stages.Select(stage => StageWork.Of(component, stage, Typical))];
        long widestBlock = component.Stages.Select((stage, i) => stage.Kind == StageKind.Transformer ? work[i].WeightBytes : 0).Max();
        yield return new bool[work.Length];
        foreach (long limit in (long[])[widestBlock, long.MaxValue])
        {
            double[] byNumber = [.. work.Select(stage => stage.WeightBytes > 0 && stage.WeightBytes <= limit ? 1.0 : 0)];
            double[] byTime = new double[byNumber.Length];
            double since = 0;
            for (int i = 0; i < byTime.Length; i++)
            {
                since += work[i].Operations;
                if (byNumber[i] == 0) continue;
                (byTime[i], since) = (since, 0);
            }

            yield return [.. byNumber.Select(number => number > 0)];
            for (int streamed = 1; streamed < byNumber.Sum(); streamed++)
            {
                foreach (double[] weights in (double[][])[byNumber, byTime])
                    for (int half = 0; half < 2; half++) yield return Spread(weights, streamed, half / 2.0);
            }
        }
    }

    private static bool[] Spread(double[] weights, int streamed, double start)
    {
        const double rounding = 1e-9;
        bool[] flags = new bool[weights.Length];
        double sum = weights.Sum(), owed = start;
        for (int i = 0; i < weights.Length; i++)
        {
            owed += streamed * weights[i] / sum;
            flags[i] = weights[i] > 0 && owed > 1 - rounding;
            if (flags[i]) owed -= 1;
        }

        return flags;
    }
}
