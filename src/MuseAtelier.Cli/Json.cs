using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Cli;

/// <summary>The settings with which muse writes JSON. Letters of every script are written unescaped.</summary>
internal static class Json
{
    /// <summary>Writes on one line.</summary>
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one line per member, for files that people read too.</summary>
    public static JsonSerializerOptions Indented { get; } = new(Readable) { WriteIndented = true, NewLine = "\n" };

    /// <summary>A number as JSON. NaN and infinity become text, because JSON has no numbers for them.</summary>
    public static JsonValue? Number(double? value)
    {
        if (value is not { } number) return null;
        return double.IsFinite(number) ? JsonValue.Create(number) : JsonValue.Create(number.ToString(CultureInfo.InvariantCulture));
    }
}
