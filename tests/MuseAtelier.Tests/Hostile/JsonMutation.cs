using System.Text;
using System.Text.Json.Nodes;

namespace MuseAtelier.Tests.Hostile;

/// <summary>Damages JSON, by a seeded generator: its members and values, or the bytes that it is written in.</summary>
internal sealed class JsonMutation(byte[] json, int seed)
{
    private static readonly string?[] Values =
    [
        null, "null", "0", "-1", "1", "2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808", "1e400", "0.5", "true",
            "[]", "{}", "[null]", "[[]]", "\"\"", "\"..\"", "\"../../etc/passwd\"", "\"/etc/passwd\"",
        "\"height*height*height*height\"", "\"1/0\"", "\"batch/0\"", "\"9223372036854775807*9223372036854775807\"",
            "\"height*1099511627776*1099511627776\"", "\"F32\"", "\"U8\"", "\"F99\"", "77", "\"\\u0000\"",
        "[4611686018427387904, 4]", "[1000000000000]", "[-4, -4]", "[0]", "1000000", "256", "\"C:\\\\a\"", "\"graphs/..\"",
    ];

    private readonly Random _random = new(seed);

    /// <summary>A damaged copy: one to three faults.</summary>
    public byte[] Next() => _random.Next(3) == 0 ? Bytes() : Members();

    private byte[] Bytes()
    {
        List<byte> bytes = [.. json];
        for (int faults = _random.Next(1, 4); faults > 0 && bytes.Count > 1; faults--)
        {
            int at = _random.Next(bytes.Count);
            switch (_random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.Insert(at, (byte)_random.Next(256)); break;
                case 3: bytes.RemoveRange(at, Math.Min(_random.Next(1, 64), bytes.Count - at)); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(_random.Next(1, 64), bytes.Count - at))); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }

        return [.. bytes];
    }

    private byte[] Members()
    {
        JsonNode root = JsonNode.Parse(json)!;
        for (int faults = _random.Next(1, 4); faults > 0; faults--) Damage(root);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    // Walks down at random: what lies near the root is met as often as what lies deep.
    private void Damage(JsonNode node)
    {
        while (true)
        {
            List<JsonNode> inner = [.. Children(node).Where(child => Children(child).Count > 0)];
            if (inner.Count == 0 || _random.Next(4) == 0) break;
            node = inner[_random.Next(inner.Count)];
        }

        string? value = Values[_random.Next(Values.Length)];
        if (node is JsonArray array)
        {
            int at = _random.Next(array.Count);
            switch (_random.Next(4))
            {
                case 0: array.RemoveAt(at); break;
                case 1: array.Add(array[at]?.DeepClone()); break;
                case 2: array.Insert(_random.Next(array.Count), Take(array, at)); break;
                default: array[at] = value is null ? null : JsonNode.Parse(value); break;
            }
        }
        else if (node is JsonObject members)
        {
            List<string> names = [.. members.Select(member => member.Key)];
            string name = names[_random.Next(names.Count)], other = names[_random.Next(names.Count)];
            switch (_random.Next(4))
            {
                case 0: members.Remove(name); break;
                case 1: members[name] = members[other]?.DeepClone(); break;
                case 2: members[name] = Nudge(members[name]) ?? (value is null ? null : JsonNode.Parse(value)); break;
                default: members[name] = value is null ? null : JsonNode.Parse(value); break;
            }
        }
    }

    // A number a little off is harder to notice than an absurd one.
    private JsonValue? Nudge(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out long number)
            && number is > long.MinValue / 4 and < long.MaxValue / 4 ? JsonValue.Create(_random.Next(4) switch
            {
                0 => number + 1,
                1 => number - 1,
                2 => number * 2,
                _ => -number,
            })
        : null;

    private static JsonNode? Take(JsonArray array, int at)
    {
        JsonNode? taken = array[at];
        array.RemoveAt(at);
        array.Add(null);
        return taken;
    }

    private static IReadOnlyList<JsonNode> Children(JsonNode node) => node switch
    {
        JsonArray array => [.. array.OfType<JsonNode>()],
        JsonObject members => [.. members.Select(member => member.Value).OfType<JsonNode>()],
        _ => [],
    };
}
