namespace MuseAtelier.Residency;

/// <summary>Where the UNet's weights lie.</summary>
/// <param name="Choice">Which stages are streamed.</param>
/// <param name="RotatesSessions">Whether the sessions that hold constants rotate instead of staying.</param>
/// <param name="Plain">Seconds of the steps of a batch without captures.</param>
/// <param name="Captured">Seconds of the steps of a batch with captured steps.</param>
/// <param name="Modes">The run modes that this placement allows.</param>
internal sealed record UNetPlacement(
    ComponentChoice Choice, bool RotatesSessions, StepSeconds Plain, StepSeconds Captured, IReadOnlyList<RunMode> Modes)
{
    /// <summary>Bytes that are swapped out with none, one, two and more of the resident stages, starting from the last stage.</summary>
    public List<long> Swappable { get; } = SumsFromTheLast(Choice);

    /// <summary>Bytes of host memory that may still be pinned for weights that are swapped out.</summary>
    public long SpareBytes { get; init; } = long.MaxValue;

    /// <summary>Whether this placement is in no respect better than another one.</summary>
    public bool IsNoBetterThan(UNetPlacement other) =>
        RotatesSessions == other.RotatesSessions
        && Choice.ResidentBytes >= other.Choice.ResidentBytes
        && Choice.StreamingBufferBytes >= other.Choice.StreamingBufferBytes
        && Plain.Sum >= other.Plain.Sum
        && Captured.Sum >= other.Captured.Sum;

    private static List<long> SumsFromTheLast(ComponentChoice choice)
    {
        List<long> sums = [0];
        for (int i = choice.Placements.Length - 1; i >= 0; i--)
            if (choice.Placements[i] == StagePlacement.Resident) sums.Add(sums[^1] + choice.WeightBytes(i));
        return sums;
    }
}

/// <summary>Seconds of all steps of a batch.</summary>
/// <param name="Guided">Of the steps with all rows.</param>
/// <param name="Unguided">Of the steps outside of the guidance interval.</param>
/// <param name="Switches">Of copying sets of prompts, where the prompts change between steps.</param>
internal readonly record struct StepSeconds(double Guided, double Unguided, double Switches)
{
    /// <summary>Seconds in all.</summary>
    public double Sum => Guided + Unguided + Switches;
}
