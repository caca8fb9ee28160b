using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Support;

/// <summary>The trained schedules of SDXL models.</summary>
internal static class Trained
{
    /// <summary>A model that predicts noise.</summary>
    public static TrainedSchedule Epsilon { get; } = new(PredictionType.Epsilon, zeroTerminalSnr: false);

    /// <summary>A model that predicts velocity.</summary>
    public static TrainedSchedule Velocity { get; } = new(PredictionType.Velocity, zeroTerminalSnr: false);

    /// <summary>A model that predicts velocity and has zero terminal SNR.</summary>
    public static TrainedSchedule ZeroSnr { get; } = new(PredictionType.Velocity, zeroTerminalSnr: true);

    /// <summary>A model of the EDM formulation, as Playground 2.5.</summary>
    public static TrainedSchedule Edm { get; } = new(PredictionType.Edm, SigmaRange.Playground);
}
