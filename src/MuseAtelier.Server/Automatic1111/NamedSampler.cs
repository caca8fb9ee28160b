using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>A sampler and a schedule by their names in AUTOMATIC1111.</summary>
/// <param name="Sampler">The sampler.</param>
/// <param name="Schedule">The schedule's name for programs; null if none is named.</param>
internal sealed record NamedSampler(SamplerName Sampler, string? Schedule)
{
    /// <summary>The schedule that each sampler has of its own.</summary>
    public const string Automatic = "automatic";

    /// <summary>The sampler of a call.</summary>
    /// <param name="fields">The fields of the call.</param>
    /// <exception cref="ServerRequestException">There is no sampler or no schedule of this name.</exception>
    public static NamedSampler OfCall(ClientFields fields) => Read(
        fields, fields.Text("sampler_name") is { Length: > 0 } ? "sampler_name" : "sampler_index", "scheduler");

    /// <summary>
    /// Reads a sampler and its schedule. A sampler's name may end in a schedule, which then counts more than its own field.
    /// </summary>
    /// <param name="fields">The fields of the call.</param>
    /// <param name="name">The field of the sampler.</param>
    /// <param name="scheduler">The field of the schedule.</param>
    /// <exception cref="ServerRequestException">There is no sampler or no schedule of this name.</exception>
    public static NamedSampler Read(ClientFields fields, string name, string scheduler)
    {
        string text = fields.Text(name) is { Length: > 0 } given ? given : "Euler";
        (string sampler, ListedSchedule? schedule) = ListedSchedule.Split(text);
        if (SamplerCatalog.BuiltIn.Find(sampler) is { } found)
            return new NamedSampler(found, schedule?.Name ?? ScheduleOf(fields, scheduler));
        string[] nearest = [.. SamplerCatalog.BuiltIn.Nearest(sampler).Select(id => new SamplerName(id))
            .Select(SamplerCatalog.BuiltIn.DisplayName)];
        string remedy = nearest.Length == 0 ? "Choose one of these." : $"Nearest to it: {string.Join(", ", nearest)}.";
        string quote = ClientFields.Quote(fields.Find(name)!.Value);
        throw Problems.BadValue(name, $"Sampler not found: {name} is {quote}", "a name of /sdapi/v1/samplers", remedy);
    }

    /// <summary>The name of a schedule; null if none is named.</summary>
    /// <exception cref="ServerRequestException">There is no schedule of this name.</exception>
    public static string? ScheduleOf(ClientFields fields, string name)
    {
        if (fields.Text(name) is not { Length: > 0 } text || SecondPass.IsSame(fields, name)) return null;
        ListedSchedule found = ListedSchedule.Find(text.Trim()) ?? throw Problems.BadValue(
            name, $"{name} is {ClientFields.Quote(fields.Find(name)!.Value)}", "a name of /sdapi/v1/schedulers");
        return found.Name;
    }

    /// <summary>The schedule that AUTOMATIC1111 has under this name for this sampler.</summary>
    /// <param name="field">The field that names it.</param>
    public NoiseSchedule ToSchedule(string field)
    {
        var draft = new RequestDraft(Programs.Forge) { Prompt = "" };
        TakeBy(draft, field);
        return draft.Finish().Request.Schedule;
    }

    /// <summary>Sets both on a draft.</summary>
    /// <param name="draft">The draft.</param>
    /// <param name="field">The field that names the schedule.</param>
    public void TakeBy(RequestDraft draft, string field)
    {
        draft.Sampler = Sampler;
        draft.HasSampler = true;
        draft.TakeSchedule(field, Schedule ?? Automatic);
    }
}
