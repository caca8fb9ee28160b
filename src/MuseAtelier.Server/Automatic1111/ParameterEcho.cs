using System.Buffers;
using System.Text.Json;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>The fields of a call as AUTOMATIC1111 repeats them: as they were sent, and with its defaults where they were not.</summary>
internal static class ParameterEcho
{
    private static readonly (string Name, string Value)[] Defaults =
    [
        ("prompt", "\"\""), ("negative_prompt", "\"\""), ("styles", "null"), ("seed", "-1"), ("subseed", "-1"), ("subseed_strength", "0"),
        ("seed_resize_from_h", "-1"), ("seed_resize_from_w", "-1"), ("sampler_name", "null"), ("scheduler", "null"), ("batch_size", "1"),
        ("n_iter", "1"), ("steps", "50"), ("cfg_scale", "7.0"), ("width", "512"), ("height", "512"), ("restore_faces", "null"),
        ("tiling", "null"), ("eta", "null"), ("denoising_strength", "null"), ("s_min_uncond", "null"), ("s_churn", "null"),
        ("s_tmax", "null"), ("s_tmin", "null"), ("s_noise", "null"), ("override_settings", "null"),
        ("override_settings_restore_afterwards", "true"), ("refiner_checkpoint", "null"), ("refiner_switch_at", "null"),
        ("enable_hr", "false"), ("sampler_index", "\"Euler\""), ("script_name", "null"), ("script_args", "[]"), ("send_images", "true"),
        ("save_images", "false"), ("alwayson_scripts", "{}"),
    ];

    private static readonly (string Name, string Value)[] DefaultsOfImg2Img =
    [
        ("init_images", "null"), ("mask", "null"), ("resize_mode", "0"), ("mask_blur", "null"), ("mask_blur_x", "4"), ("mask_blur_y", "4"),
        ("inpainting_fill", "0"), ("inpaint_full_res", "true"), ("inpaint_full_res_padding", "0"), ("inpainting_mask_invert", "0"),
        ("mask_round", "true"), ("initial_noise_multiplier", "null"), ("include_init_images", "false"), ("denoising_strength", "0.75"),
    ];

    // They are written from the uploads if the call asks for them.
    private static readonly string[] Pictures = ["init_images", "mask"];

    /// <summary>A body without its pictures, which does not depend on the document of the original.</summary>
    public static JsonElement WithoutPictures(JsonElement body)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach (JsonProperty field in body.EnumerateObject())
            {
                if (Pictures.Contains(field.Name)) continue;
                json.WritePropertyName(field.Name);
                field.Value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(bytes.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>Writes the fields.</summary>
    /// <param name="json">Where.</param>
    /// <param name="call">The call.</param>
    /// <param name="uploads">Has the picture and the mask of img2img.</param>
    public static void Write(Utf8JsonWriter json, PaintingCall call, UploadStore uploads)
    {
        json.WriteStartObject();
        foreach (JsonProperty field in call.Body.EnumerateObject())
        {
            json.WritePropertyName(field.Name);
            field.Value.WriteTo(json);
        }

        if (call.IncludesSource) WritePictures(json, call.Job.Uploads, uploads);
        bool isOver = call.Job.Picture.Source is not null;
        foreach ((string name, string value) in isOver ? DefaultsOfImg2Img.UnionBy(Defaults, field => field.Name) : Defaults)
        {
            bool isWritten = call.Body.TryGetProperty(name, out _) || (call.IncludesSource && Pictures.Contains(name));
            if (isWritten) continue;
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }

        json.WriteEndObject();
    }

    private static void WritePictures(Utf8JsonWriter json, SourceUploads ids, UploadStore uploads)
    {
        json.WriteStartArray(Pictures[0]);
        if (ids.Source is { } source && uploads.Find(source) is { } picture) json.WriteBase64StringValue(uploads.Read(picture));
        json.WriteEndArray();
        if (ids.Mask is { } id && uploads.Find(id) is { } mask) json.WriteBase64String(Pictures[1], uploads.Read(mask));
        else json.WriteNull(Pictures[1]);
    }
}
