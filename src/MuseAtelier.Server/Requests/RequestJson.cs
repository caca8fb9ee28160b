using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>Writes requests as docs/http-api.md describes them.</summary>
internal static class RequestJson
{
    /// <summary>
    /// A request as wire JSON. What the wire has no member for, such as the dialect, is left out: a client that wants it as well names the
    /// picture as basis.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="uploads">The uploads that its source is, as far as they are kept.</param>
    public static JsonObject Write(PictureRequest request, SourceUploads uploads = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var json = new JsonObject
        {
            ["prompt"] = request.Prompt,
            ["negativePrompt"] = request.NegativePrompt,
            ["syntax"] = RequestWords.WordOf(request.PromptSyntax),
            ["width"] = request.Width,
            ["height"] = request.Height,
            ["steps"] = request.Steps,
            ["guidance"] = request.GuidanceScale,
            ["sampler"] = request.Sampler.Id,
            ["schedule"] = ScheduleCatalog.IdOf(request.Schedule),
            ["seed"] = Decimal(request.Seed),
            ["frame"] = RequestWords.WordOf(request.Frame),
            ["clipSkip"] = request.ClipSkip,
            ["noise"] = request.NoiseSource.Id.ToLowerInvariant(),
            ["guidanceRescale"] = request.GuidanceRescale,
        };
        if (request.Eta is { } eta) json["eta"] = eta;
        if (request.VariationStrength > 0)
        {
            json["variationSeed"] = Decimal(request.VariationSeed);
            json["variationStrength"] = request.VariationStrength;
        }

        JsonArray loras = Write(request.Loras);
        if (loras.Count > 0) json[LoraFieldNames.List] = loras;
        if (request.Source is { } source) json["source"] = SourceJson.Write(source, uploads);
        if (request.Hires is { } hires) json["hires"] = SourceJson.Write(hires);
        return json;
    }

    /// <summary>The LoRAs that a request, or its second pass, names itself. The tags of its prompt say the others.</summary>
    public static JsonArray Write(IReadOnlyList<PictureLora> loras) =>
        [.. loras.Where(lora => !lora.IsFromPrompt).Select(lora => (JsonNode)Write(lora))];

    private static JsonObject Write(PictureLora lora)
    {
        var json = new JsonObject { ["name"] = lora.Name, ["strength"] = lora.Strength };
        if (lora.TextStrength is { } text) json["textStrength"] = text;
        if (lora.Sha256 is { } digest) json["sha256"] = digest;
        return json;
    }

    // JavaScript loses digits of numbers beyond 2^53.
    private static string Decimal(ulong seed) => seed.ToString(CultureInfo.InvariantCulture);
}
