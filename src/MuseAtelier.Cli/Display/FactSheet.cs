using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Cli.Display;

/// <summary>Writes facts for people: one a line, with the names in one column.</summary>
internal static class FactSheet
{
    private const int LongestText = 4000;

    /// <summary>Writes facts, except those whose value is null.</summary>
    /// <param name="writer">Takes the lines.</param>
    /// <param name="indent">The beginning of every line.</param>
    /// <param name="facts">Names and values.</param>
    public static void Write(TextWriter writer, string indent, IReadOnlyList<(string Name, string? Value)> facts)
    {
        int column = facts.Where(fact => fact.Value is not null).Select(fact => fact.Name.Length).DefaultIfEmpty(0).Max() + 2;
        foreach ((string name, string? value) in facts)
        {
            if (value is null) continue;
            // The further lines of a text are aligned with its first.
            string[] lines = [.. Shorten(value).ReplaceLineEndings("\n").Split('\n').Select(Terminal.OneLine)];
            writer.WriteLine($"{indent}{name.PadRight(column)}{lines[0]}".TrimEnd());
            foreach (string line in lines.Skip(1)) writer.WriteLine($"{indent}{new string(' ', column)}{line}");
        }
    }

    /// <summary>Writes a JSON object. The members of a nested object are indented.</summary>
    public static void Write(TextWriter writer, JsonObject facts) => Write(writer, "", [.. Flatten(facts, "")]);

    private static IEnumerable<(string Name, string? Value)> Flatten(JsonObject facts, string indent)
    {
        foreach ((string name, JsonNode? value) in facts)
        {
            if (value is not JsonObject inner)
            {
                yield return (indent + name, value is null ? null : Describe(value));
                continue;
            }

            yield return (indent + name, "");
            foreach ((string, string?) fact in Flatten(inner, indent + "  ")) yield return fact;
        }
    }

    private static string Describe(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.Number when value.AsValue().TryGetValue(out long number) => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.ToJsonString(Json.Readable),
    };

    private static string Shorten(string text) => text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText), "…");
}
