using System.Text.Json;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>A schedule by its names in AUTOMATIC1111 (modules/sd_schedulers.py).</summary>
/// <param name="Name">The name for programs.</param>
/// <param name="Label">The name for people, which also follows names of samplers.</param>
/// <param name="Rho">The default of rho, if the schedule has one.</param>
/// <param name="NeedsModel">Whether AUTOMATIC1111 computes it from the model.</param>
internal sealed record ListedSchedule(string Name, string Label, double? Rho = null, bool NeedsModel = false)
{
    /// <summary>Those that can be painted here, in AUTOMATIC1111's order.</summary>
    public static IReadOnlyList<ListedSchedule> All { get; } =
    [
        new("automatic", "Automatic"),
        new("uniform", "Uniform", NeedsModel: true),
        new("karras", "Karras", Rho: 7),
        new("exponential", "Exponential"),
        new("polyexponential", "Polyexponential", Rho: 1),
        new("sgm_uniform", "SGM Uniform", NeedsModel: true),
        new("kl_optimal", "KL Optimal"),
        new("align_your_steps", "Align Your Steps"),
        new("simple", "Simple", NeedsModel: true),
        new("normal", "Normal", NeedsModel: true),
        new("ddim", "DDIM", NeedsModel: true),
        new("beta", "Beta", NeedsModel: true),
        new("turbo", "Turbo", NeedsModel: true),
    ];

    /// <summary>The schedule with a name or a label, in any case; null if there is none.</summary>
    public static ListedSchedule? Find(string text) => All.FirstOrDefault(schedule => schedule.Has(text));

    /// <summary>
    /// Splits a name into the sampler's and the schedule that may follow it, as in "DPM++ 2M Karras" (modules/sd_samplers.py,
    /// get_sampler_and_scheduler).
    /// </summary>
    public static (string Sampler, ListedSchedule? Schedule) Split(string text)
    {
        string trimmed = text.Trim();
        // "SGM Uniform" ends like "Uniform".
        foreach (ListedSchedule schedule in All.OrderByDescending(schedule => schedule.Label.Length))
        {
            foreach (string end in (string[])[schedule.Label, schedule.Name])
            {
                int at = trimmed.Length - end.Length - 1;
                if (at > 0 && trimmed[at] == ' ' && trimmed.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                    return (trimmed[..at], schedule);
            }
        }

        return (trimmed, null);
    }

    /// <summary>Writes the schedules as AUTOMATIC1111 lists them.</summary>
    public static void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (ListedSchedule schedule in All)
        {
            json.WriteStartObject();
            json.WriteString("name", schedule.Name);
            json.WriteString("label", schedule.Label);
            json.WriteNull("aliases");
            json.WriteNumber("default_rho", schedule.Rho ?? -1);
            json.WriteBoolean("need_inner_model", schedule.NeedsModel);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private bool Has(string text) =>
        Name.Equals(text, StringComparison.OrdinalIgnoreCase) || Label.Equals(text, StringComparison.OrdinalIgnoreCase);
}
