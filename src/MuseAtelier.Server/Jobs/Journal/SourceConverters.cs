using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>How the journal writes sources, masks, upscalers and LoRAs: by digest, without pixels and weights.</summary>
internal static class SourceConverters
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<JsonConverter> All { get; } = [new OfSource(), new OfMask(), new OfUpscaler(), new OfLora()];

    private sealed record Digest(int Width, int Height, string Sha256);

    private sealed record Change(string? Path, string? Sha256, float Strength, float? TextStrength, bool IsFromPrompt);

    private sealed record Way(string Id, string? Path, string? Sha256);

    private sealed class OfSource : JsonConverter<SourceImage>
    {
        public override SourceImage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            Digest digest = Required<Digest>(ref reader, options);
            return SourceImage.Reference(digest.Width, digest.Height, digest.Sha256);
        }

        public override void Write(Utf8JsonWriter writer, SourceImage value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Digest(value.Width, value.Height, value.Sha256), options);
    }

    private sealed class OfMask : JsonConverter<MaskImage>
    {
        public override MaskImage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            Digest digest = Required<Digest>(ref reader, options);
            return MaskImage.Reference(digest.Width, digest.Height, digest.Sha256);
        }

        public override void Write(Utf8JsonWriter writer, MaskImage value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Digest(value.Width, value.Height, value.Sha256), options);
    }

    private sealed class OfUpscaler : JsonConverter<HiresUpscaler>
    {
        public override HiresUpscaler Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            Way way = Required<Way>(ref reader, options);
            if (way.Path is not null) return HiresUpscaler.Model(way.Path) with { Sha256 = way.Sha256 };
            return HiresUpscaler.BuiltIn.FirstOrDefault(known => known.Id == way.Id)
                ?? throw new JsonException($"There is no upscaler {way.Id}.");
        }

        public override void Write(Utf8JsonWriter writer, HiresUpscaler value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Way(value.Id, value.Path, value.Sha256), options);
    }

    // Whether a tag of the prompt names it is no member of the library's public request.
    private sealed class OfLora : JsonConverter<PictureLora>
    {
        public override PictureLora Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            Change change = Required<Change>(ref reader, options);
            return new PictureLora
            {
                Path = change.Path ?? throw new JsonException("A LoRA has no path."),
                Strength = change.Strength,
                TextStrength = change.TextStrength,
                Sha256 = change.Sha256,
                IsFromPrompt = change.IsFromPrompt,
            };
        }

        public override void Write(Utf8JsonWriter writer, PictureLora value, JsonSerializerOptions options) => JsonSerializer.Serialize(
            writer, new Change(value.Path, value.Sha256, value.Strength, value.TextStrength, value.IsFromPrompt), options);
    }

    private static T Required<T>(ref Utf8JsonReader reader, JsonSerializerOptions options) where T : class =>
        JsonSerializer.Deserialize<T>(ref reader, options) ?? throw new JsonException("A digest is null.");
}
