using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>The noise levels of a schedule: <c>schedule.NAME.STEPS</c>.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Schedule">
/// The schedule's name, which ends with <c>_a1111</c>, <c>_comfy</c> or <c>_diffusers</c> where programs mean different functions by it.
/// Without such an end it is ComfyUI's.
/// </param>
/// <param name="Steps">The number of steps.</param>
internal sealed record ScheduleCase(string Name, string Schedule, int Steps) : RecordedCase(Name)
{
    /// <inheritdoc/>
    public override SamplerCase Run(SamplerValues values)
    {
        float[] reference = values.List(Name);
        SigmaSchedule? schedule = ScheduleOf(Schedule, Steps);
        return schedule is null ? Refuse($"no such schedule: {Schedule}") : LevelCase("noise levels", schedule.Sigmas, reference);
    }

    /// <summary>The schedule of a name and a number of steps for SDXL's own training; null if there is none.</summary>
    public static SigmaSchedule? ScheduleOf(string name, int steps)
    {
        SamplingDialect dialect = SamplingDialect.Comfy;
        foreach (SamplingDialect known in Enum.GetValues<SamplingDialect>())
        {
            string end = $"_{known.ToString().ToLowerInvariant()}";
            if (!name.EndsWith(end, StringComparison.OrdinalIgnoreCase)) continue;
            dialect = known;
            name = name[..^end.Length];
        }

        if (ScheduleCatalog.Find(name) is not { } schedule || schedule.Spacing == TimestepSpacing.Automatic) return null;
        var trained = new TrainedSchedule(PredictionType.Epsilon, zeroTerminalSnr: false);
        return new SigmaSchedule(trained, new ScheduleChoice(schedule, dialect), steps);
    }
}
