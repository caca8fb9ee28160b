using MuseAtelier.Format;
using MuseAtelier.Streaming;

namespace MuseAtelier.Residency;

/// <summary>
/// A component with a set of streamed stages: where each stage's weights lie, and the memory and the time that this takes.
/// </summary>
internal sealed class ComponentChoice
{
    /// <summary>The least streaming buffer, in halves of its size: one stage runs in it while the next one is copied.</summary>
    public const int LeastBuffer = 2;

    private const int SecondsDecimals = 6;

    private static readonly PictureShape Typical = new(2, 128, 128, 1);

    private readonly StageWork[] _work;
    private readonly DeviceProfile _device;
    private readonly StreamingBufferLayout _buffer;

    /// <param name="component">The component.</param>
    /// <param name="work">The work of each stage.</param>
    /// <param name="isStreamed">Which transformer stages are streamed.</param>
    /// <param name="bufferSize">
    /// Size of the streaming buffer, in halves of the least one. In a larger buffer copies run further ahead.
    /// </param>
    /// <param name="pinnedBytes">Bytes of host memory that may be pinned for streamed weights; weights beyond it are staged.</param>
    /// <param name="device">The costs of the device.</param>
    public ComponentChoice(
        ComponentSpec component, StageWork[] work, bool[] isStreamed, int bufferSize, long pinnedBytes, DeviceProfile device)
    {
        (Component, _work, _device) = (component, work, device);
        Placements = new StagePlacement[work.Length];
        List<long> streamed = [];
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
                streamed.Add(work[i].WeightBytes);
            }
        }

        _buffer = new StreamingBufferLayout(streamed, StreamingBufferLayout.LeastBytes(streamed) / 2 * bufferSize);
    }

    public ComponentSpec Component { get; }

    /// <summary>Where each stage's weights lie.</summary>
    public StagePlacement[] Placements { get; }

    /// <summary>Bytes of weights that stay in device memory.</summary>
    public long ResidentBytes { get; }

    /// <summary>Bytes of weights that a run copies to the device.</summary>
    public long StreamedBytes { get; }

    /// <summary>Bytes of host memory that is pinned for streamed weights.</summary>
    public long PinnedBytes { get; }

    /// <summary>Bytes of the streaming buffer: at least any streamed stage and the next one fit into it.</summary>
    public long StreamingBufferBytes => _buffer.Bytes;

    /// <summary>The places of the streamed stages in a buffer of at least <see cref="StreamingBufferBytes"/>.</summary>
    /// <param name="bytes">Bytes of the buffer, which the component may share with others.</param>
    /// <returns>The layout; null if no stage is streamed.</returns>
    public StreamingBufferLayout? LayOutBuffer(long bytes)
    {
        if (_buffer.Count == 0) return null;
        return _buffer.Bytes == bytes ? _buffer : new StreamingBufferLayout(_buffer.Sizes, bytes);
    }

    /// <summary>Bytes of a stage's weights.</summary>
    public long WeightBytes(int stage) => _work[stage].WeightBytes;

    /// <summary>Seconds of several runs, one after the other.</summary>
    /// <param name="rounds">Number of runs.</param>
    /// <param name="operationsPerSecond">Speed of the device.</param>
    /// <param name="roundSeconds">Seconds of a run that do not depend on the picture; each stage has an equal part of them.</param>
    /// <param name="workShare">The factor by which each stage's seconds are multiplied.</param>
    /// <param name="otherWork">The work of each stage if the runs have another shape than the one that was chosen for.</param>
    public double Seconds(
        int rounds, double operationsPerSecond, double roundSeconds = 0, double workShare = 1, StageWork[]? otherWork = null)
    {
        double stageSeconds = roundSeconds / _work.Length;
        StageWork[] stages = otherWork ?? _work;
        double[] work = [.. stages.Select((stage, i) => stage.Operations / operationsPerSecond + stageSeconds + StreamingSeconds(i))];
        double[] copies =
        [
            .. Placements.Select((placement, i) => placement switch
            {
                StagePlacement.Streamed => _work[i].WeightBytes / _device.CopyBytesPerSecond,
                StagePlacement.Staged => _work[i].WeightBytes / _device.StagedBytesPerSecond,
                _ => 0,
            }),
        ];
        // Rounded, so that choices of equal speed compare as equal.
        return Math.Round(StageTimeline.Seconds(work, copies, _buffer, rounds, workShare), SecondsDecimals);
    }

    /// <summary>
    /// Sets of streamed stages, from none to all. Each set is spread evenly among the stages that stay, so that copies overlap with work. A
    /// second series of sets always contains the stages that are copied in less time than they take to run. The sets are the same for every
    /// picture.
    /// </summary>
    public static IEnumerable<bool[]> EvenSpreads(ComponentSpec component, DeviceProfile device)
    {
        StageWork[] work = [.. component.Stages.Select(stage => StageWork.Of(component, stage, Typical))];
        bool[] all = [.. work.Select(stage => stage.WeightBytes > 0)];
        bool[] none = new bool[all.Length];
        bool[] hidden = [.. work.Select(stage => stage.WeightBytes > 0 && CopyIsHidden(stage, device))];
        yield return none;
        yield return all;
        foreach (bool[] always in (bool[][])[none, hidden])
        {
            bool[] others = [.. all.Zip(always, (may, must) => may && !must)];
            int count = others.Count(may => may);
            for (int streamed = 0; streamed < count; streamed++)
                yield return [.. Spread(others, count, streamed).Zip(always, (chosen, must) => chosen || must)];
        }
    }

    private static bool CopyIsHidden(StageWork stage, DeviceProfile device) =>
        stage.WeightBytes / device.CopyBytesPerSecond < stage.Operations / device.OperationsPerSecond;

    private static bool[] Spread(bool[] stages, int count, int streamed)
    {
        const double rounding = 1e-9;
        bool[] flags = new bool[stages.Length];
        double owed = 0.5;
        for (int i = 0; i < stages.Length; i++)
        {
            if (!stages[i]) continue;
            owed += (double)streamed / count;
            flags[i] = owed > 1 - rounding;
            if (flags[i]) owed -= 1;
        }

        return flags;
    }

    private double StreamingSeconds(int stage) =>
        Placements[stage] is StagePlacement.Streamed or StagePlacement.Staged ? _device.StreamedStageSeconds : 0;
}
