using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>How the JSON of records is read and written.</summary>
internal static class RecordJson
{
    /// <summary>
    /// The types of a record. Enumerations are words in lower case, as muse's options name them; duplicate members are refused.
    /// </summary>
    public static PictureRecordJson Types { get; } = Create();

    private static PictureRecordJson Create()
    {
        var options = new JsonSerializerOptions(PictureRecordJson.Default.Options)
        {
            // Escapes only the characters that JSON requires to be escaped.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            AllowDuplicateProperties = false,
        };
        options.Converters.Add(new RecordedRequestConverter());
        options.Converters.Add(Words<PromptSyntax>());
        options.Converters.Add(Words<EmptyNegative>());
        options.Converters.Add(Snakes<TimestepSpacing>());
        options.Converters.Add(Snakes<PromptEmphasis>());
        options.Converters.Add(Words<SamplingDialect>());
        options.Converters.Add(Snakes<ModelPrediction>());
        options.Converters.Add(Words<SourceFit>());
        options.Converters.Add(Words<MaskedContent>());
        options.Converters.Add(Words<FrameStyle>());
        options.Converters.Add(Words<FramePlacement>());
        options.Converters.Add(Words<PictureFormat>());
        return new PictureRecordJson(options);
    }

    private static JsonStringEnumConverter<T> Words<T>() where T : struct, Enum => new(new LowerCasePolicy(), allowIntegerValues: false);

    private static JsonStringEnumConverter<T> Snakes<T>() where T : struct, Enum =>
        new(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false);

    private sealed class LowerCasePolicy : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // Unknown members must be refused, because they may describe something that this version cannot paint.
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PictureRecord))]
[JsonSerializable(typeof(RecordedRequest))]
internal sealed partial class PictureRecordJson : JsonSerializerContext;
