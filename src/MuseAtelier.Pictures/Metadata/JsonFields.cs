using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The members of another program's JSON object: each is taken once, and what nobody took is named in the end.</summary>
/// <param name="draft">Told of what is not taken over.</param>
/// <param name="json">The object.</param>
internal sealed class JsonFields(RequestDraft draft, JsonElement json)
{
    // Values that stand for "not used" in one program or another.
    private static readonly string[] Unused =
        ["", "0", "0.0", "None", "none", "Disabled", "disabled", "Automatic", "Default", "Default (model)"];

    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>A text, or a number as it is written; null where there is neither.</summary>
    public string? Text(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (!json.TryGetProperty(name, out JsonElement value)) continue;
            _taken.Add(name);
            if (value.ValueKind == JsonValueKind.String) return value.GetString();
            if (value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False) return value.GetRawText();
        }

        return null;
    }

    /// <summary>A whole number, in whatever form; null, and a word of it, where it is none.</summary>
    public int? Whole(params ReadOnlySpan<string> names) => Number<int>(names, static text =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number) && decimal.IsInteger(number)
            && number is >= int.MinValue and <= int.MaxValue ? (int)number : null);

    /// <summary>A finite number; null, and a word of it, where it is none.</summary>
    public float? Single(params ReadOnlySpan<string> names) => Number<float>(names, static text =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number : null);

    /// <summary>A seed; null where there is none, or one that stands for a drawn one.</summary>
    public ulong? Seed(params ReadOnlySpan<string> names) => Number<ulong>(names, static text =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null);

    /// <summary>An object or a list; null where there is none.</summary>
    public JsonElement? Element(string name)
    {
        if (!json.TryGetProperty(name, out JsonElement value) || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            return null;
        _taken.Add(name);
        return value;
    }

    /// <summary>Members that have no bearing on the picture.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) _taken.Add(name);
    }

    /// <summary>Members that have no bearing while they have their usual value.</summary>
    public void IgnoreUsual(string name, params ReadOnlySpan<string> usual)
    {
        if (!json.TryGetProperty(name, out JsonElement value)) return;
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        foreach (string one in usual) if (one == text) _taken.Add(name);
    }

    /// <summary>Names all that nobody took and that is in use.</summary>
    public void SkipRest()
    {
        foreach (JsonProperty member in json.EnumerateObject())
            if (!_taken.Contains(member.Name) && IsUsed(member.Value))
                draft.Skip(member.Name, member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()!
                    : member.Value.GetRawText());
    }

    private T? Number<T>(ReadOnlySpan<string> names, Func<string, T?> parse) where T : struct
    {
        foreach (string name in names)
        {
            if (Text(name) is not { } text) continue;
            if (parse(text) is { } number) return number;
            draft.Skip(name, text);
        }

        return null;
    }

    private static bool IsUsed(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False => false,
        JsonValueKind.String => !Unused.Contains(value.GetString()),
        JsonValueKind.Number => !Unused.Contains(value.GetRawText()),
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };
}
