using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the members of another program's JSON object, and names the members that were not read.</summary>
/// <param name="draft">Receives the names of members that are not used.</param>
/// <param name="json">The object.</param>
internal sealed class JsonFields(RequestDraft draft, JsonElement json)
{
    // Values that mean "not used" in some program.
    private static readonly string[] Unused =
        ["", "0", "0.0", "None", "none", "Disabled", "disabled", "Automatic", "Default", "Default (model)"];

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ofLoras = new(StringComparer.Ordinal);

    /// <summary>Reads a text, or a number as text; null if there is neither.</summary>
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

    /// <summary>Reads a whole number in any notation; null if there is none. Any other value is named.</summary>
    public int? Whole(params ReadOnlySpan<string> names) => Number<int>(names, static text =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number) && decimal.IsInteger(number)
            && number is >= int.MinValue and <= int.MaxValue ? (int)number : null);

    /// <summary>Reads a finite number; null if there is none. Any other value is named.</summary>
    public float? Single(params ReadOnlySpan<string> names) => Number<float>(names, static text =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number : null);

    /// <summary>Reads a seed; null if there is none, or a value that means a random seed.</summary>
    public ulong? Seed(params ReadOnlySpan<string> names) => Number<ulong>(names, static text =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null);

    /// <summary>Reads a number of a range. A number out of the range, or any other value, is named.</summary>
    /// <param name="name">The member's name.</param>
    /// <param name="most">The largest number; the smallest is 0.</param>
    /// <param name="take">Receives the number.</param>
    public void Take(string name, float most, Action<float> take)
    {
        if (Text(name) is { Length: > 0 } text) draft.TakeNumber(name, text, most, take);
    }

    /// <summary>Reads true or false, or null if there is neither.</summary>
    public bool? Flag(string name)
    {
        bool isFlag = json.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False;
        if (!isFlag) return null;
        _taken.Add(name);
        return value.GetBoolean();
    }

    /// <summary>Reads an object or a list; null if there is none.</summary>
    public JsonElement? Element(string name)
    {
        if (!json.TryGetProperty(name, out JsonElement value) || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            return null;
        _taken.Add(name);
        return value;
    }

    /// <summary>
    /// Reads an object or a list that describes LoRAs; null if there is none. The member is named, because it is used only if folders of LoRAs
    /// are given.
    /// </summary>
    public JsonElement? OfLoras(string name)
    {
        if (!json.TryGetProperty(name, out JsonElement value) || value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            return null;
        _ofLoras.Add(name);
        return value;
    }

    /// <summary>Ignores members that do not affect the picture.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) _taken.Add(name);
    }

    /// <summary>Ignores all members whose names begin in the same way.</summary>
    public void IgnoreAll(string beginning)
    {
        foreach (JsonProperty member in json.EnumerateObject())
            if (member.Name.StartsWith(beginning, StringComparison.Ordinal)) _taken.Add(member.Name);
    }

    /// <summary>Ignores a member that does not affect the picture while it has one of its usual values.</summary>
    public void IgnoreUsual(string name, params ReadOnlySpan<string> usual)
    {
        if (!json.TryGetProperty(name, out JsonElement value)) return;
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        foreach (string one in usual) if (one == text) _taken.Add(name);
    }

    /// <summary>Names all members that were not read and have a value in use.</summary>
    public void SkipRest()
    {
        foreach (JsonProperty member in json.EnumerateObject())
        {
            if (_taken.Contains(member.Name) || !IsUsed(member.Value)) continue;
            if (_ofLoras.Contains(member.Name)) draft.SkipWithoutLoras(member.Name, Words(member.Value));
            else draft.Skip(member.Name, Words(member.Value));
        }
    }

    // A value on one line. Programs differ in how they indent.
    private static string Words(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return value.GetString()!;
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, Compact);
        value.WriteTo(writer);
        writer.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
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
