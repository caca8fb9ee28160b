using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The nodes of a graph of ComfyUI by number, and the values of their inputs. Graphs are untrusted: they may contain cycles.
/// </summary>
internal sealed class ComfyNodes
{
    /// <summary>The most links that are followed, because a graph may contain a cycle.</summary>
    public const int LongestChain = 32;

    // The input names of nodes that only hold a value.
    private static readonly string[] ValueNames =
        ["value", "text", "string", "seed", "int", "float", "number", "Text", "Value", "noise_seed", "prompt"];

    private readonly Dictionary<string, JsonElement> _nodes = new(StringComparer.Ordinal);

    /// <summary>Indexes the nodes, because JSON's objects are searched linearly for a name.</summary>
    public ComfyNodes(JsonElement nodes)
    {
        foreach (JsonProperty node in nodes.EnumerateObject()) _nodes[node.Name] = node.Value;
    }

    /// <summary>All nodes.</summary>
    public IEnumerable<JsonElement> All => _nodes.Values;

    /// <summary>The kind of a node, such as <c>KSampler</c>; empty if it has none.</summary>
    public static string Class(JsonElement node) => ForeignJson.Member(node, "class_type") ?? "";

    /// <summary>The node to which the first linked input of these names leads; null if none is linked.</summary>
    public JsonElement? Follow(JsonElement node, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (TryInput(node, name, out JsonElement link) && Linked(link) is { } linked) return linked;
        return null;
    }

    /// <summary>The number of the node to which the first linked input of these names leads; null if none is linked.</summary>
    public string? FollowNumber(JsonElement node, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (TryInput(node, name, out JsonElement link) && Linked(link) is not null) return NumberOf(link);
        return null;
    }

    /// <summary>The node of a number that <see cref="FollowNumber"/> gave.</summary>
    public JsonElement this[string number] => _nodes[number];

    /// <summary>The text of an input; null if it is none.</summary>
    public string? Text(JsonElement node, string name) =>
        Value(node, [name]) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>The whole number of an input; null if it is none.</summary>
    public int? Whole(JsonElement node, string name) =>
        Number(node, name) is { } value && value.TryGetInt32(out int number) ? number : null;

    /// <summary>The finite number of an input; null if it is none.</summary>
    public float? Single(JsonElement node, string name) =>
        Number(node, name) is { } value && value.TryGetSingle(out float number) && float.IsFinite(number) ? number : null;

    /// <summary>The seed of an input; null if it is none.</summary>
    public ulong? Seed(JsonElement node, params ReadOnlySpan<string> names) =>
        Number(node, names) is { } value && value.TryGetUInt64(out ulong number) ? number : null;

    /// <summary>Whether an input is true; null if it is neither true nor false.</summary>
    public bool? Flag(JsonElement node, string name) => Value(node, [name]) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => null,
    };

    /// <summary>A number as text, for messages.</summary>
    public static string Words(float number) => number.ToString(CultureInfo.InvariantCulture);

    private JsonElement? Number(JsonElement node, params ReadOnlySpan<string> names) =>
        Value(node, names) is { ValueKind: JsonValueKind.Number } value ? value : null;

    // The value of an input: its own, or that of the linked node that only holds a value, under the same name or a usual one.
    private JsonElement? Value(JsonElement node, ReadOnlySpan<string> names)
    {
        JsonElement? value = Find(node, names);
        for (int i = 0; i < LongestChain && value is { ValueKind: JsonValueKind.Array } link; i++)
            value = Linked(link) is { } next ? Find(next, names) ?? Find(next, ValueNames) : null;
        return value;
    }

    private static JsonElement? Find(JsonElement node, ReadOnlySpan<string> names)
    {
        foreach (string name in names) if (TryInput(node, name, out JsonElement value)) return value;
        return null;
    }

    private JsonElement? Linked(JsonElement link) =>
        NumberOf(link) is { } number && _nodes.TryGetValue(number, out JsonElement node) ? node : null;

    private static string? NumberOf(JsonElement link)
    {
        if (link.ValueKind != JsonValueKind.Array || link.GetArrayLength() != 2) return null;
        JsonElement number = link[0];
        return number.ValueKind == JsonValueKind.String ? number.GetString() : number.ValueKind == JsonValueKind.Number
            ? number.GetRawText() : null;
    }

    private static bool TryInput(JsonElement node, string name, [NotNullWhen(true)] out JsonElement value)
    {
        value = default;
        return node.TryGetProperty("inputs", out JsonElement inputs) && inputs.ValueKind == JsonValueKind.Object
            && inputs.TryGetProperty(name, out value);
    }
}
