namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of schedules in records and in other programs' texts.</summary>
internal static class ScheduleNames
{
    // AUTOMATIC1111's names ("Schedule type"). diffusers' spacings have none.
    private static readonly Dictionary<TimestepSpacing, string> Labels = new()
    {
        [TimestepSpacing.Normal] = "Normal",
        [TimestepSpacing.Exponential] = "Exponential",
        [TimestepSpacing.Polyexponential] = "Polyexponential",
        [TimestepSpacing.SgmUniform] = "SGM Uniform",
        [TimestepSpacing.Simple] = "Simple",
        [TimestepSpacing.DdimUniform] = "DDIM",
        [TimestepSpacing.Beta] = "Beta",
        [TimestepSpacing.KlOptimal] = "KL Optimal",
        [TimestepSpacing.AlignYourSteps] = "Align Your Steps",
    };

    /// <summary>The name of a spacing in records, which is also muse's: <c>sgm_uniform</c>.</summary>
    public static string IdOf(TimestepSpacing spacing) => ScheduleCatalog.IdOf(new NoiseSchedule { Spacing = spacing });

    /// <summary>AUTOMATIC1111's name of a spacing; null if it has none.</summary>
    public static string? LabelOf(TimestepSpacing spacing) => Labels.GetValueOrDefault(spacing);

    /// <summary>The spacing with a name of records; null if there is none.</summary>
    public static TimestepSpacing? OfId(string id)
    {
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>())
            if (IdOf(spacing) == id) return spacing;
        return null;
    }

    /// <summary>
    /// The spacing that a name means in AUTOMATIC1111, ComfyUI and their relatives; null if it means none of this library's.
    /// </summary>
    /// <param name="folded">The name's letters and digits in lower case.</param>
    public static TimestepSpacing? Find(string folded) =>
        ScheduleCatalog.Find(folded) is { Karras: false, Spacing: not TimestepSpacing.Automatic } found ? found.Spacing : null;

    /// <summary>
    /// Whether AUTOMATIC1111 and ComfyUI mean different functions by a spacing's name, so that <see cref="PictureRequest.Dialect"/>
    /// decides.
    /// </summary>
    public static bool DiffersByProgram(TimestepSpacing spacing) =>
        spacing is TimestepSpacing.Beta or TimestepSpacing.KlOptimal or TimestepSpacing.AlignYourSteps;
}
