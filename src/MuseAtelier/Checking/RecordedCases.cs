using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Checking;

/// <summary>Finds the cases of a file of reference values of samplers by the names of its tensors and by its JSON file.</summary>
internal static class RecordedCases
{
    private const string Schedule = "schedule";
    private const string Brownian = "brownian";
    private const string LargeBrownian = "brownian_large";

    private static readonly string[] Parts = ["sigmas", "timesteps", "x0", "before_step", "drawn", "final", "latents"];

    /// <summary>The cases, in the order of their names.</summary>
    /// <param name="values">The file; borrowed.</param>
    /// <exception cref="SamplerValuesException">A tensor or an entry belongs to no case, or there is no case.</exception>
    public static IReadOnlyList<RecordedCase> Of(SamplerValues values)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string tensor in values.Names)
        {
            bool isWhole = tensor.Split('.')[0] is Schedule or Brownian or LargeBrownian;
            int end = tensor.LastIndexOf('.');
            if (!isWhole && (end < 0 || !Parts.Contains(tensor[(end + 1)..]))) throw values.Refusal($"there is a tensor {Shorten(tensor)}");
            names.Add(isWhole ? tensor : tensor[..end]);
        }

        // An entry of the JSON file without tensors would be a case that is left out.
        foreach (JsonProperty entry in values.Notes.EnumerateObject()) names.Add(entry.Name.TrimEnd('.'));
        if (names.Count == 0) throw values.Refusal("there are no tensors");
        return [.. names.Select(name => Of(values, name))];
    }

    private static RecordedCase Of(SamplerValues values, string name)
    {
        string[] parts = name.Split('.');
        return parts switch
        {
            [Schedule, var schedule, var steps] => new ScheduleCase(name, schedule, Steps(values, name, steps)),
            [Brownian or LargeBrownian, var seed] => new BrownianCase(name, Seed(values, name, seed), parts[0] == LargeBrownian),
            [var sampler, var schedule, var steps] => new KDiffusionCase(name, sampler, schedule, Steps(values, name, steps)),
            [_, var steps] => new SchedulerCase(name, Entry(values, name), Steps(values, name, steps)),
            _ => throw values.Refusal($"there is a case {Shorten(name)}"),
        };
    }

    private static int Steps(SamplerValues values, string name, string text)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int steps);
        return isNumber && steps is >= 1 and <= RequestRules.MostSteps
            ? steps
            : throw values.Refusal($"there is a case {Shorten(name)}");
    }

    private static ulong Seed(SamplerValues values, string name, string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
            ? seed
            : throw values.Refusal($"there is a case {Shorten(name)}");

    private static JsonElement Entry(SamplerValues values, string name) =>
        values.Notes.TryGetProperty(name + ".", out JsonElement entry) && entry.ValueKind == JsonValueKind.Object
            ? entry
            : throw values.Refusal($"the JSON file has no entry {Shorten(name)}.");

    private static string Shorten(string text) => text.Length <= 64 ? text : $"{text[..64]}…";
}
