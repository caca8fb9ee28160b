using System.Globalization;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// JSON without needless escapes: the framework's writer has no setting that leaves letters beyond U+FFFF as they are, which triples their
/// size.
/// </summary>
internal static class JsonEscapes
{
    /// <summary>Puts pairs of surrogates in the place of their escapes.</summary>
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
                // Any other escape stays, its second letter with it: that may be a backslash itself.
                text.Append(json, i, Math.Min(2, json.Length - i));
                i++;
            }
        }

        return text.ToString();
    }

    /// <summary>Puts U+FFFD in the place of escaped halves of pairs that stand alone, which no reader of JSON gives as text.</summary>
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

            bool isHigh = Unit(json, i) is { } first && char.IsHighSurrogate(first), isLow = Unit(json, i) is { } only
                && char.IsLowSurrogate(only);
            bool isPair = isHigh && Unit(json, i + 6) is { } second && char.IsLowSurrogate(second);
            int length = isPair ? 12 : isHigh || isLow ? 6 : 2;
            if (length == 6) text.Append("\\uFFFD");
            else text.Append(json, i, length);
            i += length - 1;
        }

        return text.ToString();
    }

    private static char? Unit(string json, int start) =>
        start + 6 <= json.Length
        && json[start] == '\\'
        && json[start + 1] == 'u'
        && ushort.TryParse(
            json.AsSpan(start + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit)
            ? (char)unit
            : null;
}
