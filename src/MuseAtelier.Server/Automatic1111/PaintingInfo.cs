using System.Globalization;
using System.Text.Json;
using MuseAtelier.Conditioning;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Sampling;
using MuseAtelier.Server.Jobs;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>What was painted, in the form of AUTOMATIC1111's info (modules/processing.py, Processed.js).</summary>
internal static class PaintingInfo
{
    /// <summary>Writes it.</summary>
    /// <param name="json">Where.</param>
    /// <param name="call">What was asked for.</param>
    /// <param name="pictures">The finished pictures, in order: fewer than asked for if the job was interrupted.</param>
    /// <param name="accepted">When the job was accepted.</param>
    public static void Write(
        Utf8JsonWriter json, PaintingCall call, IReadOnlyList<FinishedPicture> pictures, DateTimeOffset accepted)
    {
        PictureRequest request = call.Job.Picture;
        json.WriteStartObject();
        json.WriteString("prompt", request.Prompt);
        // AUTOMATIC1111 takes comments out of these, and not out of the prompts above (modules/processing_scripts/comments.py).
        WriteAll(json, "all_prompts", pictures, picture => json.WriteStringValue(Read(picture.Request.Prompt)));
        json.WriteString("negative_prompt", request.NegativePrompt);
        WriteAll(json, "all_negative_prompts", pictures, picture => json.WriteStringValue(Read(picture.Request.NegativePrompt)));
        json.WriteNumber("seed", request.Seed);
        WriteAll(json, "all_seeds", pictures, picture => json.WriteNumberValue(picture.Request.Seed));
        json.WriteNumber("subseed", request.VariationSeed);
        WriteAll(json, "all_subseeds", pictures, picture => json.WriteNumberValue(picture.Request.VariationSeed));
        json.WriteNumber("subseed_strength", request.VariationStrength);
        json.WriteNumber("width", request.Width);
        json.WriteNumber("height", request.Height);
        json.WriteString("sampler_name", SamplerCatalog.BuiltIn.DisplayName(request.Sampler));
        json.WriteNumber("cfg_scale", request.GuidanceScale);
        json.WriteNumber("steps", request.Steps);
        json.WriteNumber("batch_size", call.BatchSize);
        json.WriteBoolean("restore_faces", false);
        json.WriteNull("face_restoration_model");
        WriteModel(json, pictures);
        json.WriteNumber("seed_resize_from_w", -1);
        json.WriteNumber("seed_resize_from_h", -1);
        if ((request.Source?.Strength ?? request.Hires?.Strength) is { } strength) json.WriteNumber("denoising_strength", strength);
        else json.WriteNull("denoising_strength");
        WriteExtra(json, request, pictures);
        json.WriteNumber("index_of_first_image", 0);
        WriteAll(json, "infotexts", pictures, picture => json.WriteStringValue(picture.Parameters));
        WriteAll(json, "styles", [], _ => { });
        json.WriteString("job_timestamp", accepted.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture));
        json.WriteNumber("clip_skip", request.ClipSkip);
        json.WriteBoolean("is_using_inpainting_conditioning", false);
        json.WriteString("version", $"MuseAtelier {PictureProvenance.CurrentEngine}");
        json.WriteEndObject();

        string Read(string prompt) => PromptComments.Strip(prompt, request.PromptSyntax);
    }

    // modules/processing.py, StableDiffusionProcessingTxt2Img.init and StableDiffusionProcessingImg2Img.init.
    private static void WriteExtra(Utf8JsonWriter json, PictureRequest request, IReadOnlyList<FinishedPicture> pictures)
    {
        json.WriteStartObject("extra_generation_params");
        if (request.Hires is { } hires)
        {
            json.WriteNumber("Hires upscale", hires.Scale);
            if (hires.Steps is { } steps) json.WriteNumber("Hires steps", steps);
            json.WriteString("Hires upscaler", SecondPass.NameOf(hires.Upscaler));
        }

        if (request.Source?.Mask is { } mask)
        {
            json.WriteNumber("Mask blur", mask.Blur);
            if (mask.OnlyMaskedPadding is { } padding)
            {
                json.WriteString("Inpaint area", "Only masked");
                json.WriteNumber("Masked area padding", padding);
            }
        }

        // extensions-builtin/Lora/extra_networks_lora.py, activate: the digests of all LoRAs in one text.
        foreach (FinishedPicture first in pictures.Take(1))
            foreach ((string name, string value) in A1111Adapters.SettingsOf(first.Request, first.Embeddings))
                json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, IReadOnlyList<FinishedPicture> pictures)
    {
        ModelInfo? model = pictures.Count > 0 ? pictures[0].Model : null;
        json.WriteString("sd_model_name", model?.Name);
        json.WriteString("sd_model_hash", model is { Sha256.Length: >= ParametersText.ShortDigest }
            ? model.Sha256[..ParametersText.ShortDigest] : null);
        json.WriteString("sd_vae_name", model?.Vae?.Name);
        json.WriteString("sd_vae_hash", model?.Vae?.Sha256[..ParametersText.ShortDigest]);
    }

    private static void WriteAll(
        Utf8JsonWriter json, string name, IReadOnlyList<FinishedPicture> pictures, Action<FinishedPicture> write)
    {
        json.WriteStartArray(name);
        foreach (FinishedPicture picture in pictures) write(picture);
        json.WriteEndArray();
    }
}
