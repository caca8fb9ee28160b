namespace MuseAtelier.Residency;

/// <summary>Where the UNet's weights lie.</summary>
/// <param name="Choice">Which stages are streamed.</param>
/// <param name="RotatesSessions">Whether the sessions that hold constants rotate instead of staying.</param>
/// <param name="PlainSeconds">Seconds of all steps of a batch without captures.</param>
/// <param name="CapturedSeconds">Seconds of all steps of a batch with captured steps.</param>
/// <param name="Modes">The run modes that this placement allows.</param>
internal sealed record UNetPlacement(
    ComponentChoice Choice, bool RotatesSessions, double PlainSeconds, double CapturedSeconds, IReadOnlyList<RunMode> Modes)
{
    /// <summary>Bytes that are swapped out with none, one, two and more of the resident stages, starting from the last stage.</summary>
    public List<long> Swappable { get; } = SumsFromTheLast(Choice);

    /// <summary>Whether this placement is in no respect better than another one.</summary>
    public bool IsNoBetterThan(UNetPlacement other) =>
        RotatesSessions == other.RotatesSessions
        && Choice.ResidentBytes >= other.Choice.ResidentBytes
        && Choice.StreamingBufferBytes >= other.Choice.StreamingBufferBytes
        && PlainSeconds >= other.PlainSeconds
        && CapturedSeconds >= other.CapturedSeconds;

    private static List<long> SumsFromTheLast(ComponentChoice choice)
    {
        List<long> sums = [0];
        for (int i = choice.Placements.Length - 1; i >= 0; i--)
            if (choice.Placements[i] == StagePlacement.Resident) sums.Add(sums[^1] + choice.WeightBytes(i));
        return sums;
    }
}
