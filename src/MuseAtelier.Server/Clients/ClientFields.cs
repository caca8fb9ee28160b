using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Server.Clients;

/// <summary>
/// The members of another program's request. A member that is null counts as absent, and numbers may be written as texts, because clients
/// send both.
/// </summary>
/// <param name="body">The JSON object.</param>
/// <param name="prefix">What is put before a member's name in messages; empty for the request itself.</param>
internal readonly struct ClientFields(JsonElement body, string prefix = "")
{
    private const int LongestQuote = 60;

    /// <summary>The object itself.</summary>
    public JsonElement Body => body;

    /// <summary>A member; null if it is absent.</summary>
    public JsonElement? Find(string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A text; null if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else.</exception>
    public string? Text(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Bad(name, value, "a text");
    }

    /// <summary>A text of bounded length, or an empty one if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else, or too long.</exception>
    public string Prompt(string name, int mostCharacters)
    {
        string text = Text(name) ?? "";
        if (text.Length <= mostCharacters) return text;
        throw Problems.BadValue(
            prefix + name, $"{prefix}{name} has {text.Length} characters", $"at most {mostCharacters}", "Shorten it.");
    }

    /// <summary>A whole number; null if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else, or out of range.</exception>
    public long? Whole(string name, long least, long most)
    {
        if (Find(name) is not { } value) return null;
        decimal? number = Decimal(value);
        bool isWhole = number is { } found && decimal.IsInteger(found) && found >= least && found <= most;
        return isWhole ? (long)number!.Value : throw Bad(name, value, $"a whole number from {least} to {most}");
    }

    /// <summary>A seed: null if it is absent or -1, by which clients ask for any.</summary>
    /// <exception cref="ServerRequestException">The member is something else.</exception>
    public ulong? Seed(string name)
    {
        if (Find(name) is not { } value) return null;
        bool isNoneAsText = value.ValueKind == JsonValueKind.String && value.GetString()!.Trim().Length == 0;
        if (isNoneAsText) return null;
        decimal? number = Decimal(value);
        if (number == -1) return null;
        bool isSeed = number is { } found && decimal.IsInteger(found) && found >= 0 && found <= ulong.MaxValue;
        return isSeed ? (ulong)number!.Value : throw Bad(name, value, $"a whole number from 0 to {ulong.MaxValue}, or -1 for any");
    }

    /// <summary>A number; null if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else, or out of range.</exception>
    public float? Number(string name, float least, float most)
    {
        if (Find(name) is not { } value) return null;
        bool isInRange = Double(value) is { } number && number >= least && number <= most;
        string expected = string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}");
        return isInRange ? (float)Double(value)!.Value : throw Bad(name, value, expected);
    }

    /// <summary>Yes or no; null if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else.</exception>
    public bool? Flag(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String when bool.TryParse(value.GetString(), out bool parsed) => parsed,
            JsonValueKind.Number when Double(value) is 0 or 1 => Double(value) == 1,
            _ => throw Bad(name, value, "true or false"),
        };
    }

    /// <summary>An object; null if it is absent.</summary>
    /// <exception cref="ServerRequestException">The member is something else.</exception>
    public ClientFields? Inner(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ClientFields(value, $"{prefix}{name}.")
            : throw Bad(name, value, "an object");
    }

    /// <summary>A refusal of a member for its value.</summary>
    public ServerRequestException Bad(string name, JsonElement value, string expected) =>
        Problems.BadValue(prefix + name, $"{prefix}{name} is {Quote(value)}", expected, "Correct it, or leave it out.");

    /// <summary>A refusal of a member that would change the picture in a way that the server cannot.</summary>
    /// <param name="name">The member.</param>
    /// <param name="message">What the server cannot do, and what to do instead.</param>
    public ServerRequestException NotSupported(string name, string message) =>
        Problems.Make(422, "not-supported", $"{prefix}{name} would change the picture: {message}", field: prefix + name);

    /// <summary>A value in messages: its JSON, shortened.</summary>
    public static string Quote(JsonElement value)
    {
        string text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length <= LongestQuote ? text : string.Concat(text.AsSpan(0, LongestQuote), "…");
    }

    /// <summary>The number that a value is, also as a text; null if it is none.</summary>
    public static double? Double(JsonElement value)
    {
        double number = double.NaN;
        bool isNumber = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDouble(out number),
            JsonValueKind.String =>
                double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number),
            _ => false,
        };
        return isNumber && double.IsFinite(number) ? number : null;
    }

    // A decimal holds every seed exactly.
    private static decimal? Decimal(JsonElement value)
    {
        decimal number = 0;
        bool isNumber = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDecimal(out number),
            JsonValueKind.String =>
                decimal.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number),
            _ => false,
        };
        return isNumber ? number : null;
    }
}
