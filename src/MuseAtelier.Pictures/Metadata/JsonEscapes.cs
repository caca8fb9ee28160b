using System.Globalization;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Changes escapes in JSON. .NET's writer always escapes letters beyond U+FFFF, which triples their size.
/// </summary>
internal static class JsonEscapes
{
    /// <summary>Replaces escaped pairs of surrogates by the letters themselves.</summary>
    public static string Resolve(string json)
    {
        const string escape = "\\u";
        if (!json.Contains(escape, StringComparison.Ordinal)) return json;
        var text = new StringBuilder(json.Length);
        for (int i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\')
            {
                text.Append(json[i]);
            }
            else if (Unit(json, i) is { } high && char.IsHighSurrogate(high) && Unit(json, i + 6) is { } low && char.IsLowSurrogate(low))
            {
                text.Append(high).Append(low);
                i += 11;
            }
            else
            {
                // Any other escape stays. Its second letter must be skipped, because it may be a backslash.
                text.Append(json, i, Math.Min(2, json.Length - i));
                i++;
            }
        }

        return text.ToString();
    }

    /// <summary>Replaces escaped surrogates without a partner by U+FFFD, because readers of JSON refuse them.</summary>
    public static string ReplaceUnpaired(string json)
    {
        if (!json.Contains("\\ud", StringComparison.OrdinalIgnoreCase)) return json;
        var text = new StringBuilder(json.Length);
        for (int i = 0; i < json.Length; i++)
        {
            if (json[i] != '\\' || i + 1 == json.Length)
            {
                text.Append(json[i]);
                continue;
            }

            bool isHigh = Unit(json, i) is { } first && char.IsHighSurrogate(first);
            bool isLow = Unit(json, i) is { } only && char.IsLowSurrogate(only);
            bool isPair = isHigh && Unit(json, i + 6) is { } second && char.IsLowSurrogate(second);
            int length = isPair ? 12 : isHigh || isLow ? 6 : 2;
            if (length == 6) text.Append("\\uFFFD");
            else text.Append(json, i, length);
            i += length - 1;
        }

        return text.ToString();
    }

    // The UTF-16 unit of the escape \uXXXX at this index; null if there is none.
    private static char? Unit(string json, int start)
    {
        if (start + 6 > json.Length || json[start] != '\\' || json[start + 1] != 'u') return null;
        ReadOnlySpan<char> digits = json.AsSpan(start + 2, 4);
        return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : null;
    }
}
