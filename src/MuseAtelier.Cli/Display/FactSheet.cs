using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MuseAtelier.Cli.Display;

/// <summary>JSON as people read it: a line for each member, members of members indented.</summary>
internal static class FactSheet
{
    private const int LongestText = 2000;

    public static IRenderable Of(JsonObject facts)
    {
        Grid grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        Add(grid, facts, "");
        return grid;
    }

    private static void Add(Grid grid, JsonObject facts, string indent)
    {
        foreach ((string name, JsonNode? value) in facts)
        {
            if (value is null) continue;
            grid.AddRow(Markup.Escape(indent + name), value is JsonObject ? "" : Markup.Escape(Write(value)));
            if (value is JsonObject inner) Add(grid, inner, indent + "  ");
        }
    }

    private static string Write(JsonNode value)
    {
        string text = value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.Number when value.AsValue().TryGetValue(out long number) => number.ToString("N0", CultureInfo.InvariantCulture),
            _ => value.ToJsonString(Json.Readable),
        };
        return text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText), "…");
    }
}
