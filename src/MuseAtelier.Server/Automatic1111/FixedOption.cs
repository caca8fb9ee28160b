using System.Text.Json;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>An option of AUTOMATIC1111 that would change pictures, and of which this server has the usual value alone.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The usual value, as JSON.</param>
/// <param name="Others">Other values that mean the same, as JSON.</param>
internal sealed record FixedOption(string Name, string Value, params string[] Others)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<FixedOption> All { get; } =
    [
        new("sd_unet", "\"Automatic\"", "\"None\"", "\"\""),
        new("sd_lora", "\"None\"", "\"\""),
        new("sd_hypernetwork", "\"None\"", "\"\""),
        new("face_restoration", "false"),
        new("eta_noise_seed_delta", "0"),
        new("always_discard_next_to_last_sigma", "false"),
        new("sgm_noise_multiplier", "false"),
        new("s_churn", "0"),
        new("s_noise", "1"),
        new("s_min_uncond", "0"),
        new("sigma_min", "0"),
        new("sigma_max", "0"),
        new("rho", "0"),
        new("beta_dist_alpha", "0.6"),
        new("beta_dist_beta", "0.6"),
        new("uni_pc_variant", "\"bh1\""),
        new("uni_pc_skip_type", "\"time_uniform\""),
        new("uni_pc_order", "3"),
        new("uni_pc_lower_order_final", "true"),
        new("token_merging_ratio", "0"),
        new("sdxl_crop_top", "0"),
        new("sdxl_crop_left", "0"),
        new("use_old_emphasis_implementation", "false"),
        new("use_old_karras_scheduler_sigmas", "false"),
        new("use_old_scheduling", "false"),
        new("use_downcasted_alpha_bar", "false"),
        new("enable_quantization", "false"),
        new("img2img_fix_steps", "false"),
        new("img2img_color_correction", "false"),
        new("img2img_extra_noise", "0"),
        new("img2img_background_color", "\"#ffffff\""),
        new("initial_noise_multiplier", "1"),
        new("inpainting_mask_weight", "1"),
        new("upscaler_for_img2img", "\"None\"", "\"\"", "null"),
        new("hires_fix_use_firstpass_conds", "false"),
        new("enable_prompt_comments", "true"),
    ];

    /// <summary>
    /// The VAE. Without a file of the server's own, the model's is the only one; with it, the file's name is the usual value, and None,
    /// which means the model's own, is refused.
    /// </summary>
    /// <param name="file">Path of the VAE's file that the server was given; null for none.</param>
    public static FixedOption Vae(string? file)
    {
        const string name = "sd_vae", automatic = "\"Automatic\"", empty = "\"\"";
        return file is null
            ? new FixedOption(name, automatic, "\"None\"", empty)
            : new FixedOption(name, JsonSerializer.Serialize(Path.GetFileName(file)), automatic, empty);
    }

    /// <summary>Refuses another value than the usual one.</summary>
    /// <param name="fields">The options that a client sets.</param>
    /// <exception cref="ServerRequestException">There is one.</exception>
    public void Check(ClientFields fields)
    {
        if (fields.Find(Name) is not { } value || Means(value, Value) || Array.Exists(Others, other => Means(value, other))) return;
        string found = ClientFields.Quote(value);
        throw fields.NotSupported(Name, $"this server has the value {Value} alone, not {found}. Leave the option as it is.");
    }

    // Numbers are equal however they are written: 0, 0.0 and "0".
    private static bool Means(JsonElement value, string usual)
    {
        using var document = JsonDocument.Parse(usual);
        JsonElement expected = document.RootElement;
        return expected.ValueKind switch
        {
            JsonValueKind.Number => ClientFields.Double(value) is { } number && number == expected.GetDouble(),
            JsonValueKind.String =>
                value.ValueKind == JsonValueKind.String && string.Equals(value.GetString(), expected.GetString(), StringComparison.Ordinal),
            _ => value.ValueKind == expected.ValueKind,
        };
    }
}
