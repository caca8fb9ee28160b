using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MuseAtelier.Cli;

/// <summary>How muse writes JSON: letters of every script as they are, one line unless said otherwise.</summary>
internal static class Json
{
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The same on a line for each member: for files that people read too.</summary>
    public static JsonSerializerOptions Indented { get; } = new(Readable) { WriteIndented = true, NewLine = "\n" };

    /// <summary>A number; as text where JSON has no word for it, as for NaN and infinity.</summary>
    public static JsonValue? Number(double? value) =>
        value is not { } number ? null : double.IsFinite(number) ? JsonValue.Create(number) : JsonValue.Create(number.ToString(CultureInfo.InvariantCulture));
}
