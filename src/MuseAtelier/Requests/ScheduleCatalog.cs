using System.Text.Json;

namespace MuseAtelier;

/// <summary>
/// The names of schedules: this library's ids, and the names in AUTOMATIC1111, Forge, ComfyUI and their relatives. The one list of them for
/// the command line and for the texts of pictures.
/// </summary>
public static class ScheduleCatalog
{
    private const string KarrasId = "karras";

    // Karras's levels are a schedule of their own in all programs but diffusers: those between the largest and the smallest trained level.
    private static readonly NoiseSchedule Karras = new() { Spacing = TimestepSpacing.Linspace, Karras = true };

    // Other names of the same functions, folded.
    private static readonly Dictionary<string, TimestepSpacing> Others = new(StringComparer.Ordinal)
    {
        ["auto"] = TimestepSpacing.Automatic,
        ["uniform"] = TimestepSpacing.Normal,
        ["ddim"] = TimestepSpacing.DdimUniform,
        ["ays"] = TimestepSpacing.AlignYourSteps,
        // Forge has the same table under a second name, and trailing timesteps as "Turbo".
        ["alignyoursteps11"] = TimestepSpacing.AlignYourSteps,
        ["turbo"] = TimestepSpacing.Trailing,
    };

    /// <summary>This library's ids, such as <c>sgm_uniform</c>; the first one is the default.</summary>
    public static IReadOnlyList<string> Ids { get; } =
    [
        IdOf(TimestepSpacing.Automatic),
        .. Enum.GetValues<TimestepSpacing>().Where(spacing => spacing != TimestepSpacing.Automatic).Select(IdOf),
        KarrasId,
    ];

    /// <summary>Finds a schedule by any program's name, in any case and punctuation: <c>SGM Uniform</c>, <c>kl_optimal</c>.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The spacing, and whether the levels are Karras's; null if no schedule of this library has the name.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public static NoiseSchedule? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string folded = NearestNames.Fold(name);
        if (folded == KarrasId) return Karras;
        if (Others.TryGetValue(folded, out TimestepSpacing other)) return new NoiseSchedule { Spacing = other };
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>())
            if (folded == NearestNames.Fold(spacing.ToString())) return new NoiseSchedule { Spacing = spacing };
        return null;
    }

    /// <summary>The id of a schedule that <see cref="Find"/> gives.</summary>
    /// <param name="schedule">The schedule. Its timesteps are ignored.</param>
    /// <exception cref="ArgumentNullException">The schedule is null.</exception>
    public static string IdOf(NoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return schedule.Karras && schedule.Spacing == TimestepSpacing.Linspace ? KarrasId : IdOf(schedule.Spacing);
    }

    private static string IdOf(TimestepSpacing spacing) => JsonNamingPolicy.SnakeCaseLower.ConvertName(spacing.ToString());
}
