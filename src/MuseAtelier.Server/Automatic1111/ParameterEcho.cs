using System.Text.Json;

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

    /// <summary>Writes the fields.</summary>
    public static void Write(Utf8JsonWriter json, PaintingCall call)
    {
        json.WriteStartObject();
        foreach (JsonProperty field in call.Body.EnumerateObject())
        {
            json.WritePropertyName(field.Name);
            field.Value.WriteTo(json);
        }

        foreach ((string name, string value) in Defaults)
        {
            if (call.Body.TryGetProperty(name, out _)) continue;
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }

        json.WriteEndObject();
    }
}
