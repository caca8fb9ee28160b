using System.Text.Json.Nodes;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Requests;

/// <summary>What requests may choose from, as the page shows it.</summary>
internal static class Offer
{
    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    /// <summary>The member <c>offer</c> of the state.</summary>
    /// <param name="limits">The limits of requests.</param>
    /// <param name="bestSize">The side in px that the present model paints best.</param>
    /// <param name="upscalers">The ways to enlarge a picture between two passes.</param>
    /// <param name="features">What the server can do beside painting from noise.</param>
    public static JsonObject Write(
        ServerLimits limits, int bestSize, IEnumerable<NamedUpscaler> upscalers, OfferedFeatures features) => new()
        {
            ["samplers"] = Named(SamplerCatalog.BuiltIn.Names.Select(name => (name.Id, SamplerCatalog.BuiltIn.DisplayName(name)))),
            ["schedules"] = Named(ScheduleCatalog.Ids.Select(id => (id, LabelOf(id)))),
            ["frames"] = Words(RequestWords.Frames),
            ["syntaxes"] = Words(RequestWords.Syntaxes),
            ["formats"] = Words(RequestWords.Formats),
            ["fits"] = Words(RequestWords.Fits),
            ["maskContents"] = Words(RequestWords.MaskContents),
            ["upscalers"] = new JsonArray([.. upscalers.Select(upscaler =>
            (JsonNode)new JsonObject { ["name"] = upscaler.Name, ["isModel"] = upscaler.IsModel })]),
            ["limits"] = LimitsOf(limits),
            ["defaults"] = DefaultsOf(bestSize),
            ["features"] = new JsonObject
            {
                ["pictures"] = true,
                ["masks"] = true,
                ["loras"] = features.HasLoras,
                ["embeddings"] = features.HasEmbeddings,
                ["upscalers"] = true,
            },
        };

    private static JsonObject LimitsOf(ServerLimits limits) => new()
    {
        ["promptCharacters"] = limits.PromptCharacters,
        ["pixels"] = limits.Pixels,
        ["count"] = limits.Count,
        ["steps"] = RequestRules.MostSteps,
        ["uploadBytes"] = limits.UploadBytes,
        ["sourcePixels"] = limits.SourcePixels,
        ["sideStep"] = RequestRules.SizeMultiple,
        ["leastSide"] = RequestRules.SmallestSide,
        ["mostSide"] = RequestRules.LargestSide,
        ["mostMargin"] = SourceFields.MostMargin,
        ["mostMaskBlur"] = SourceFields.MostMaskBlur,
        ["mostMaskPadding"] = SourceFields.MostMaskPadding,
        ["mostHiresScale"] = HiresFields.MostScale,
        ["mostLoras"] = LoraFields.Most,
        ["mostLoraStrength"] = LoraFields.LargestStrength,
    };

    private static JsonObject DefaultsOf(int bestSize) => new()
    {
        ["steps"] = Defaults.Steps,
        ["guidance"] = Defaults.GuidanceScale,
        ["sampler"] = Defaults.Sampler.Id,
        ["schedule"] = ScheduleCatalog.IdOf(Defaults.Schedule),
        ["width"] = bestSize,
        ["height"] = bestSize,
        ["strength"] = SourceFields.Defaults.Strength,
        ["fit"] = RequestWords.WordOf(SourceFields.Defaults.Fit),
        ["maskBlur"] = SourceFields.MaskDefaults.Blur,
        ["hiresScale"] = HiresFields.Defaults.Scale,
        ["hiresStrength"] = HiresFields.Defaults.Strength,
    };

    private static JsonArray Named(IEnumerable<(string Name, string Label)> names) =>
        [.. names.Select(each => (JsonNode)new JsonObject { ["name"] = each.Name, ["label"] = each.Label })];

    private static JsonArray Words(IEnumerable<string> words) => [.. words.Select(word => (JsonNode)JsonValue.Create(word))];

    // "sgm_uniform" is shown as "SGM uniform" and so on.
    private static string LabelOf(string id)
    {
        string words = id.Replace('_', ' ');
        return words switch
        {
            "sgm uniform" => "SGM uniform",
            "ddim uniform" => "DDIM uniform",
            "kl optimal" => "KL optimal",
            "lcm" => "LCM",
            _ => string.Concat(char.ToUpperInvariant(words[0]).ToString(), words.AsSpan(1)),
        };
    }
}

/// <summary>What a server offers only if its owner names folders for it.</summary>
/// <param name="HasLoras">Whether there are folders of LoRAs.</param>
/// <param name="HasEmbeddings">Whether there are folders of embeddings.</param>
internal readonly record struct OfferedFeatures(bool HasLoras, bool HasEmbeddings);
