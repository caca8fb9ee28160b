using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages JSON: its members, values and syntax, or its bytes.</summary>
internal static class JsonFuzz
{
    // System.Text.Json's nodes cannot hold some values. These placeholders are replaced by such values in the text.
    private const string Deep = "\u00a7deep\u00a7",
        Long = "\u00a7long\u00a7",
        Half = "\u00a7half\u00a7",
        Twice = "\u00a7twice\u00a7";
    private const int LongCharacters = 1 << 19;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] Values =
    [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "2",
        "7",
        "77",
        "256",
        "65536",
        "2147483647",
        "2147483648",
        "-2147483648",
        "4294967296",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "4611686018427387904",
        "0.5",
        "1e400",
        "-1e400",
        "1e-400",
        "5e-324",
        "1e308",
        "1e9",
        "\"\"",
        "\" \"",
        "\"x\"",
        "\"NaN\"",
        "\"Infinity\"",
        "\"1\"",
        "\"..\"",
        "\"../../etc/passwd\"",
        "\"/etc/passwd\"",
        "\"C:\\\\a\"",
        "\"CON\"",
        "\"a/b\"",
        "\"\\u0000\"",
        "\"\\n\"",
        "\"\\u001b[2J\"",
        "\"" + Half + "\"",
        "\"" + Deep + "\"",
        "\"" + Long + "\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "[0]",
        "[-1]",
        "[1,2,3]",
        "[4611686018427387904,4]",
        "[9223372036854775807,9223372036854775807]",
        "[1000000000000]",
        "{\"a\":1}",
        "\"height*height*height*height\"",
        "\"batch/0\"",
        "\"1/0\"",
        "\"9223372036854775807*9223372036854775807\"",
        "\"F32\"",
        "\"F99\"",
        "\"I64\"",
    ];

    /// <summary>Returns a damaged copy with one to three faults.</summary>
    public static byte[] Damage(Random random, byte[] json) => random.Next(4) == 0 ? ByteFuzz.Damage(random, json) : Members(random, json);

    private static byte[] Members(Random random, byte[] json)
    {
        JsonNode root = JsonNode.Parse(json)!;
        for (int faults = 1 + random.Next(3); faults > 0; faults--)
        {
            if (random.Next(60) == 0)
                return Finish(random, Value(random)?.ToJsonString(Plain) ?? "null");
            DamageBelow(random, root);
        }

        return Finish(random, root.ToJsonString(Plain));
    }

    // Walks down at random, so that nodes near the root are damaged as often as deep ones.
    private static void DamageBelow(Random random, JsonNode node)
    {
        while (random.Next(4) != 0)
        {
            JsonNode[] inner = [.. Children(node).Where(child => child is JsonArray { Count: > 0 } or JsonObject { Count: > 0 })];
            if (inner.Length == 0)
                break;
            node = inner[random.Next(inner.Length)];
        }

        if (node is JsonArray { Count: > 0 } list)
            DamageList(random, list);
        else if (node is JsonObject { Count: > 0 } members)
            DamageMember(random, members);
    }

    private static void DamageList(Random random, JsonArray list)
    {
        int at = random.Next(list.Count),
            other = random.Next(list.Count);
        switch (random.Next(6))
        {
            case 0:
                list.RemoveAt(at);
                break;
            case 1:
                list.Insert(other, list[at]?.DeepClone());
                break;
            case 2:
                (list[at], list[other]) = (list[other]?.DeepClone(), list[at]?.DeepClone());
                break;
            case 3:
                list.Clear();
                break;
            case 4:
                list[at] = Nudge(random, list[at]);
                break;
            default:
                list[at] = Value(random);
                break;
        }
    }

    private static void DamageMember(Random random, JsonObject members)
    {
        string[] names = [.. members.Select(member => member.Key)];
        string name = names[random.Next(names.Length)],
            other = names[random.Next(names.Length)];
        switch (random.Next(7))
        {
            case 0:
                members.Remove(name);
                break;
            case 1:
                members[name] = members[other]?.DeepClone();
                break;
            case 2:
                members[name] = Nudge(random, members[name]);
                break;
            case 3:
                members[Twice + name] = random.Next(2) == 0 ? members[name]?.DeepClone() : Value(random);
                break;
            case 4:
                JsonNode? moved = members[name]?.DeepClone();
                members.Remove(name);
                members[random.Next(2) == 0 ? name.ToUpperInvariant() : name + "x"] = moved;
                break;
            default:
                members[name] = Value(random);
                break;
        }
    }

    // Small deviations must occur, because they are harder to detect than absurd values.
    private static JsonNode? Nudge(Random random, JsonNode? node)
    {
        if (node is not JsonValue value)
            return Value(random);
        if (value.TryGetValue(out long number))
            return JsonValue.Create(
                random.Next(6) switch
                {
                    0 => unchecked(number + 1),
                    1 => unchecked(number - 1),
                    2 => unchecked(number * 2),
                    3 => unchecked(-number),
                    4 => number / 2,
                    _ => unchecked(number << random.Next(64)),
                }
            );
        if (value.TryGetValue(out double fraction))
            return JsonNode.Parse(
                (fraction * 1.5).ToString("R", CultureInfo.InvariantCulture) is "NaN" or "Infinity" or "-Infinity"
                    ? "1e300"
                    : (fraction * 1.5).ToString("R", CultureInfo.InvariantCulture)
            );
        if (!value.TryGetValue(out string? text) || text.Length == 0)
            return Value(random);
        int at = random.Next(text.Length);
        return JsonValue.Create(
            random.Next(4) switch
            {
                0 => text.Remove(at, 1),
                1 => text.Insert(at, ((char)random.Next(1, 0x3000)).ToString()),
                2 => text + text,
                _ => text[..at],
            }
        );
    }

    private static JsonNode? Value(Random random) => JsonNode.Parse(Values[random.Next(Values.Length)]);

    private static byte[] Finish(Random random, string text)
    {
        if (text.Contains('\u00a7', StringComparison.Ordinal))
        {
            int depth = random.Next(3) switch
            {
                0 => 60,
                1 => 70,
                _ => 20_000,
            };
            string nested =
                random.Next(2) == 0
                    ? new string('[', depth) + new string(']', depth)
                    : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
            text = text.Replace($"\"{Deep}\"", nested, StringComparison.Ordinal)
                .Replace(Long, new string("x夜\u0301"[random.Next(3)], LongCharacters), StringComparison.Ordinal)
                .Replace(Half, "\\ud83c", StringComparison.Ordinal)
                .Replace(Twice, "", StringComparison.Ordinal);
        }

        return Encoding.UTF8.GetBytes(text);
    }

    private static IEnumerable<JsonNode> Children(JsonNode node) =>
        node switch
        {
            JsonArray list => list.OfType<JsonNode>(),
            JsonObject members => members.Select(member => member.Value).OfType<JsonNode>(),
            _ => [],
        };
}
