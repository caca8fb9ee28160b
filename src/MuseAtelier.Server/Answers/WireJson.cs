using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Server;

/// <summary>How the server writes JSON: names in camelCase, members that are null left out, letters of every script unescaped.</summary>
internal static class WireJson
{
    /// <summary>The options for answers and events.</summary>
    public static JsonSerializerOptions Options { get; } = Create(JsonNamingPolicy.CamelCase);

    /// <summary>The same options with other names of enumeration values.</summary>
    /// <param name="enums">How the values are named.</param>
    /// <param name="converters">How certain types are written.</param>
    public static JsonSerializerOptions Create(JsonNamingPolicy enums, params JsonConverter[] converters)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            // Answers are never part of an HTML page, so that only what JSON itself requires is escaped.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            NumberHandling = JsonNumberHandling.Strict,
        };
        foreach (JsonConverter converter in converters) options.Converters.Add(converter);
        options.Converters.Add(new JsonStringEnumConverter(enums, allowIntegerValues: false));
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
