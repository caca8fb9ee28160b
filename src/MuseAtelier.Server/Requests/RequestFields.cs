using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Server.Requests;

/// <summary>
/// The members of a JSON object that a client sent. Names that are not known are refused when it is created, values of a wrong kind when
/// they are read. A member that is null counts as absent.
/// </summary>
internal sealed class RequestFields
{
    private const int LongestShown = 40;

    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);
    private readonly string _prefix;

    /// <summary>Takes the members of an object.</summary>
    /// <param name="body">The JSON.</param>
    /// <param name="known">The names that the object may have.</param>
    /// <exception cref="ServerRequestException">It is no object, or it has another name.</exception>
    public RequestFields(JsonElement body, IReadOnlyCollection<string> known)
        : this(body, known, "")
    {
    }

    private RequestFields(JsonElement body, IReadOnlyCollection<string> known, string prefix)
    {
        _prefix = prefix;
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw Problems.Make(
                400, "bad-json", $"The body is {Kind(body)}; expected an object. Send one such as {{\"prompt\": \"…\"}}.");
        }

        foreach (JsonProperty member in body.EnumerateObject())
        {
            string name = NameOf(member);
            if (!known.Contains(name)) throw Unknown(prefix + name, known);
            if (member.Value.ValueKind != JsonValueKind.Null) _values[name] = member.Value;
        }
    }

    /// <summary>Whether the member is there.</summary>
    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>A member's name in messages, with those of the objects that hold it.</summary>
    public string PathOf(string name) => _prefix + name;

    /// <summary>Whether a member that may be an object is the word for none.</summary>
    public bool IsNone(string name) => _values.TryGetValue(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String && value.ValueEquals(RequestWords.NoFrame);

    /// <summary>An object; null if it is absent.</summary>
    /// <param name="name">The member.</param>
    /// <param name="known">The names that the object may have.</param>
    public RequestFields? Inner(string name, IReadOnlyCollection<string> known)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.Object
            ? new RequestFields(value, known, $"{_prefix}{name}.")
            : throw Wrong(name, value, "an object");
    }

    /// <summary>The objects of a list; null if it is absent.</summary>
    /// <param name="name">The member.</param>
    /// <param name="most">The most objects.</param>
    /// <param name="known">The names that each object may have.</param>
    public IReadOnlyList<RequestFields>? Items(string name, int most, IReadOnlyCollection<string> known)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > most)
            throw Wrong(name, value, string.Create(CultureInfo.InvariantCulture, $"a list of at most {most} objects"));
        List<RequestFields> items = [];
        foreach (JsonElement item in value.EnumerateArray())
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"{PathOf(name)}[{items.Count}]");
            if (item.ValueKind != JsonValueKind.Object)
                throw Problems.BadValue(path, $"{path} is {Shown(item)}", "an object", "Correct it, or leave it out.");
            items.Add(new RequestFields(item, known, $"{path}."));
        }

        return items;
    }

    /// <summary>True or false; null if it is absent.</summary>
    public bool? Flag(string name)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Wrong(name, value, "true or false");
    }

    /// <summary>A text; null if it is absent.</summary>
    /// <param name="name">The member.</param>
    /// <param name="most">The most UTF-16 code units.</param>
    public string? Text(string name, int most)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.String) throw Wrong(name, value, "a text");
        string text = StringOf(PathOf(name), value);
        if (text.Length <= most) return text;
        string found = string.Create(CultureInfo.InvariantCulture, $"{PathOf(name)} has {text.Length} characters");
        throw Problems.BadValue(PathOf(name), found, string.Create(CultureInfo.InvariantCulture, $"at most {most}"), "Shorten it.");
    }

    /// <summary>A whole number; null if it is absent.</summary>
    public int? Whole(string name, int least = int.MinValue, int most = int.MaxValue)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        int number = 0;
        bool isWhole = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number);
        if (isWhole && number >= least && number <= most) return number;
        string range = (least, most) == (int.MinValue, int.MaxValue)
            ? "a whole number"
            : string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        throw Wrong(name, value, range);
    }

    /// <summary>A number; null if it is absent.</summary>
    public float? Number(string name)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && float.IsFinite(number)) return number;
        throw Wrong(name, value, "a number");
    }

    /// <summary>A seed, as a number or as a string of decimal digits; null if it is absent.</summary>
    public ulong? Seed(string name)
    {
        if (!_values.TryGetValue(name, out JsonElement value)) return null;
        ulong seed;
        bool isSeed = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetUInt64(out seed),
            JsonValueKind.String =>
                ulong.TryParse(StringOf(PathOf(name), value), NumberStyles.None, CultureInfo.InvariantCulture, out seed),
            _ => (seed = 0) != 0,
        };
        return isSeed ? seed : throw Wrong(name, value, $"a whole number from 0 to {ulong.MaxValue}, as a number or as a string");
    }

    /// <summary>The refusal of a word that is none of some names.</summary>
    public static ServerRequestException NoSuchName(string field, string word, IReadOnlyList<string> names, IReadOnlyList<string> nearest)
    {
        string question = NearestNames.Question(nearest);
        return Problems.BadValue(
            field,
            $"{field} is '{Shorten(word)}'",
            $"one of {string.Join(", ", names)}",
            question.Length > 0 ? question : "Choose one of these.");
    }

    private static ServerRequestException Unknown(string name, IReadOnlyCollection<string> known)
    {
        IReadOnlyList<string> nearest = NearestNames.Of(name[(name.LastIndexOf('.') + 1)..], known);
        string remedy = nearest.Count > 0 ? NearestNames.Question(nearest) : "Leave it out.";
        string message = $"The field '{Shorten(name)}' is not known; expected {string.Join(", ", known)}. {remedy}";
        return Problems.Make(400, "unknown-field", message, inner: null, Shorten(name));
    }

    private ServerRequestException Wrong(string name, JsonElement value, string expected) =>
        Problems.BadValue(PathOf(name), $"{PathOf(name)} is {Shown(value)}", expected, "Correct it, or leave it out.");

    private static string Shown(JsonElement value) => value.ValueKind is JsonValueKind.Number or JsonValueKind.String
        ? Shorten(value.GetRawText())
        : Kind(value);

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    // Control characters of a client's text must not reach logs and terminals.
    private static string Shorten(string text)
    {
        string line = string.Concat(text.Take(LongestShown).Select(letter => IsHarmless(letter) ? letter : ' '));
        return text.Length > LongestShown ? line + "…" : line;
    }

    private static bool IsHarmless(char letter) => !char.IsControl(letter) && !char.IsSurrogate(letter);

    // Escapes of half a character are legal in JSON's grammar, but no text.
    private static string StringOf(string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw Problems.Make(
                400, "bad-value", $"{name} has an escape of half a character; expected Unicode text. Remove it.", exception, name);
        }
    }

    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException exception)
        {
            throw Problems.Make(400, "bad-json", "The body has a name that is no Unicode text. Correct it.", exception);
        }
    }
}
