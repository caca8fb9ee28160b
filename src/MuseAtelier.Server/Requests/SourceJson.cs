using System.Text.Json.Nodes;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>Writes sources and second passes as docs/http-api.md describes them, so that they may be sent back as they are.</summary>
internal static class SourceJson
{
    /// <summary>A source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="uploads">The uploads that it is, as far as they are kept.</param>
    public static JsonObject Write(PictureSource source, SourceUploads uploads)
    {
        JsonObject json = Write(source.Image.Sha256, source.Image.Width, source.Image.Height, source.Image.Name, uploads.Source);
        json["fit"] = RequestWords.WordOf(source.Fit);
        json["strength"] = source.Strength;
        if (source.Extend != default)
        {
            PictureMargins margins = source.Extend;
            json["extend"] = new JsonObject
            {
                ["left"] = margins.Left,
                ["top"] = margins.Top,
                ["right"] = margins.Right,
                ["bottom"] = margins.Bottom,
            };
        }

        if (source.Mask is { } mask) json["mask"] = Write(mask, uploads);
        return json;
    }

    /// <summary>A second pass.</summary>
    public static JsonObject Write(HiresPass hires)
    {
        var json = new JsonObject
        {
            ["scale"] = hires.Scale,
            ["strength"] = hires.Strength,
            ["upscaler"] = UpscalerShelf.NameOf(hires.Upscaler),
        };
        if (hires.Steps is { } steps) json["steps"] = steps;
        if (hires.Prompt is { } prompt) json["prompt"] = prompt;
        if (hires.NegativePrompt is { } negative) json["negativePrompt"] = negative;
        if (hires.Sampler is { } sampler) json["sampler"] = sampler.Id;
        if (hires.Schedule is { } schedule) json["schedule"] = ScheduleCatalog.IdOf(schedule);
        if (hires.GuidanceScale is { } guidance) json["guidanceScale"] = guidance;
        if (hires.Loras is { } loras) json[LoraFieldNames.List] = RequestJson.Write(loras);
        return json;
    }

    private static JsonObject Write(InpaintMask mask, SourceUploads uploads)
    {
        JsonObject json = Write(mask.Image.Sha256, mask.Image.Width, mask.Image.Height, mask.Image.Name, uploads.Mask);
        if (uploads.IsTransparency) json["transparency"] = true;
        json["blur"] = mask.Blur;
        json["content"] = RequestWords.WordOf(mask.Content);
        if (mask.OnlyMaskedPadding is { } padding) json["onlyMaskedPadding"] = padding;
        json["pasteBack"] = mask.PasteBack;
        return json;
    }

    private static JsonObject Write(string sha256, int width, int height, string? name, string? upload)
    {
        var json = new JsonObject { ["sha256"] = sha256, ["width"] = width, ["height"] = height };
        if (upload is not null) json["upload"] = upload;
        if (name is not null) json["name"] = name;
        return json;
    }
}
