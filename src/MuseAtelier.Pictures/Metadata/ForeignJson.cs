using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the JSON of other programs. Each method uses the member names of its program.</summary>
internal static class ForeignJson
{
    /// <summary>SwarmUI: <c>sui_image_params</c>. SwarmUI paints with ComfyUI.</summary>
    public static RequestDraft SwarmUi(JsonElement json)
    {
        RequestDraft draft = Comfy(Programs.SwarmUi);
        var fields = new JsonFields(draft, json.GetProperty("sui_image_params"));
        TakeUsual(draft, fields, "prompt", "negativeprompt", "steps", "cfgscale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        if (fields.Text("scheduler") is { } scheduler) draft.TakeSchedule("scheduler", scheduler);
        if (fields.Text("clipstopatlayer") is { } layer) draft.TakeClipSkip("clipstopatlayer", layer);
        draft.ModelName = Model(fields.Text("model"));
        fields.Ignore("aspectratio", "sidelength", "images", "batchsize", "swarm_version", "date", "generation_time", "prep_time",
            "nopreviews", "automaticvae", "colordepth");
        fields.Ignore("imageformat", "internalbackendtype", "wildcardseed", "original_prompt", "used_wildcards", "presets",
            "cleanupprompts", "donotsave", "personalnote");
        fields.SkipRest();
        return draft;
    }

    /// <summary>Fooocus and its forks: a flat object. The prompts have the styles applied.</summary>
    public static RequestDraft Fooocus(JsonElement json)
    {
        RequestDraft draft = Comfy(Programs.Fooocus);
        var fields = new JsonFields(draft, json);
        draft.Prompt = Joined(fields.Element("full_prompt"));
        draft.Negative = Joined(fields.Element("full_negative_prompt"));
        if (draft.Prompt is null) draft.Prompt = fields.Text("prompt");
        else draft.Notice("Fooocus encodes each style's prompt separately; here they are encoded as one prompt.");
        draft.Negative ??= fields.Text("negative_prompt");
        draft.Steps = fields.Whole("steps");
        draft.Guidance = fields.Single("guidance_scale", "cfg", "cfg_scale");
        draft.Seed = fields.Seed("seed");
        if (fields.Text("resolution") is { } size) TakePair(draft, "resolution", size);
        else (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("sampler", "sampler_name") is { } sampler) draft.TakeSampler("sampler", sampler);
        if (fields.Text("scheduler") is { } scheduler) draft.TakeSchedule("scheduler", scheduler);
        if (fields.Text("clip_skip") is { } skip) draft.TakeClipSkip("clip_skip", skip);
        draft.ModelName = Model(fields.Text("base_model", "base_model_name"));
        draft.ModelHash = fields.Text("base_model_hash");
        fields.Ignore("prompt", "negative_prompt", "prompt_expansion", "styles", "performance", "metadata_scheme", "version", "software",
            "Software", "created_by", "full_prompt", "full_negative_prompt");
        fields.SkipRest();
        return draft;
    }

    /// <summary>InvokeAI since version 3: <c>invokeai_metadata</c>. InvokeAI samples with diffusers.</summary>
    public static RequestDraft InvokeAi(JsonElement json)
    {
        var draft = new RequestDraft(Programs.InvokeAi) { Noise = NoiseSource.Diffusers, Spacing = TimestepSpacing.Leading };
        draft.Notice("InvokeAI draws the noise of its steps with another seed: the picture will be similar but not the same.");
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "positive_prompt", "negative_prompt", "steps", "cfg_scale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("scheduler") is { } sampler) draft.TakeSampler("scheduler", sampler);
        if (fields.Element("model") is { } model) draft.ModelName = Model(Member(model, "name") ?? Member(model, "model_name"));
        // InvokeAI counts the layers that diffusers skips in addition to SDXL's own.
        fields.IgnoreUsual("clip_skip", "0", "1", "2");
        fields.IgnoreUsual("generation_mode", "sdxl_txt2img", "txt2img");
        fields.IgnoreUsual("positive_style_prompt", draft.Prompt ?? "");
        fields.IgnoreUsual("negative_style_prompt", draft.Negative ?? "");
        fields.Ignore("app_version", "rand_device", "type", "id", "canvas_v2_metadata", "hrf_method", "hrf_strength");
        fields.SkipRest();
        return draft;
    }

    /// <summary>NovelAI: the JSON under <c>Comment</c>.</summary>
    public static RequestDraft NovelAi(JsonElement json)
    {
        var draft = new RequestDraft(Programs.NovelAi) { Noise = NoiseSource.A1111, EmptyNegative = EmptyNegative.Encoded };
        draft.Notice(OwnNoise("NovelAI, whose models are not public,"));
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "prompt", "uc", "steps", "scale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        if (fields.Text("noise_schedule") is { } schedule && schedule != "native") draft.TakeSchedule("noise_schedule", schedule);
        // Every picture has the other members, so only values that change the picture are named.
        foreach (string name in (string[])["cfg_rescale", "sm", "sm_dyn", "dynamic_thresholding", "image", "reference_image",
            "skip_cfg_above_sigma", "uncond_scale"])
            if (json.TryGetProperty(name, out JsonElement value)
                && value.GetRawText() is not ("null" or "false" or "0" or "0.0" or "1" or "1.0" or "\"\"")) draft.Skip(name,
                    value.GetRawText());
        return draft;
    }

    /// <summary>Draw Things: the JSON of XMP's user comment.</summary>
    public static RequestDraft DrawThings(JsonElement json)
    {
        var draft = new RequestDraft(Programs.DrawThings) { EmptyNegative = EmptyNegative.Encoded };
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "c", "uc", "steps", "scale", "seed");
        if (fields.Text("size") is { } size) TakePair(draft, "size", size);
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        string mode = fields.Text("seed_mode") ?? "";
        draft.Noise = mode.StartsWith("Torch CPU", StringComparison.OrdinalIgnoreCase) ? NoiseSource.Diffusers : NoiseSource.A1111;
        if (!mode.Contains("compatible", StringComparison.OrdinalIgnoreCase)) draft.Notice(OwnNoise("This seed mode of Draw Things"));
        draft.ModelName = Model(fields.Text("model"));
        fields.IgnoreUsual("strength", "1", "1.0");
        fields.IgnoreUsual("shift", "1", "1.0");
        fields.Ignore("v2", "profile", "mask_blur", "mask_blur_outset", "target_size", "original_size", "negative_original_size", "tanque");
        fields.SkipRest();
        return draft;
    }

    /// <summary>Stability Matrix: <c>parameters-json</c>. Stability Matrix paints with ComfyUI.</summary>
    public static RequestDraft StabilityMatrix(JsonElement json)
    {
        RequestDraft draft = Comfy(Programs.StabilityMatrix);
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "PositivePrompt", "NegativePrompt", "Steps", "CfgScale", "Seed");
        (draft.Width, draft.Height) = (fields.Whole("Width"), fields.Whole("Height"));
        if (fields.Text("Sampler") is { } sampler) draft.TakeSampler("Sampler", sampler);
        draft.ModelName = Model(fields.Text("ModelName"));
        draft.ModelHash = fields.Text("ModelHash");
        fields.SkipRest();
        return draft;
    }

    /// <summary>Easy Diffusion: the names of its API or those of its interface.</summary>
    public static RequestDraft EasyDiffusion(JsonElement json)
    {
        var draft = new RequestDraft(Programs.EasyDiffusion) { Noise = NoiseSource.A1111, EmptyNegative = EmptyNegative.Zeros };
        draft.Notice(OwnNoise("Easy Diffusion"));
        var fields = new JsonFields(draft, json);
        draft.Prompt = fields.Text("prompt", "Prompt");
        draft.Negative = fields.Text("negative_prompt", "Negative Prompt");
        draft.Steps = fields.Whole("num_inference_steps", "Steps");
        draft.Guidance = fields.Single("guidance_scale", "Guidance Scale");
        draft.Seed = fields.Seed("seed", "Seed");
        (draft.Width, draft.Height) = (fields.Whole("width", "Width"), fields.Whole("height", "Height"));
        if (fields.Text("sampler_name", "Sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        draft.ModelName = Model(fields.Text("use_stable_diffusion_model", "Stable Diffusion model"));
        // Clip skip is a yes or no here, and means SDXL's own layer.
        fields.Ignore("clip_skip", "Clip Skip", "tiling", "Seamless Tiling");
        fields.SkipRest();
        return draft;
    }

    /// <summary>A model's name without folders and extension; null for none.</summary>
    public static string? Model(string? name) => string.IsNullOrWhiteSpace(name) ? null : SamplerNames.Model(name);

    /// <summary>Reads a member that is text; null if there is none.</summary>
    public static string? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string OwnNoise(string who) =>
        $"{who} has random numbers of its own: the picture will be a different one with the same settings.";

    // The noise of ComfyUI on an NVIDIA card, the most common device.
    private static RequestDraft Comfy(string program) => new(program) { Noise = NoiseSource.Comfy, EmptyNegative = EmptyNegative.Encoded };

    private static void TakeUsual(RequestDraft draft, JsonFields fields, string prompt, string negative, string steps, string guidance,
        string seed)
    {
        draft.Prompt = fields.Text(prompt);
        draft.Negative = fields.Text(negative);
        draft.Steps = fields.Whole(steps);
        draft.Guidance = fields.Single(guidance);
        draft.Seed = fields.Seed(seed);
    }

    // Reads "1152x896", "(1152, 896)" and the like.
    private static void TakePair(RequestDraft draft, string name, string value)
    {
        string[] parts = value.Trim('(', ')', '[', ']', ' ').Split([',', 'x', '×', '*'], StringSplitOptions.TrimEntries);
        if (parts.Length == 2 && Side(parts[0]) is { } width && Side(parts[1]) is { } height) (draft.Width, draft.Height) = (width, height);
        else draft.Skip(name, value);
    }

    private static int? Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int side) ? side
        : null;

    private static string? Joined(JsonElement? list) =>
        list is not { ValueKind: JsonValueKind.Array } parts ? null
            : string.Join(", ", parts.EnumerateArray().Where(part => part.ValueKind == JsonValueKind.String)
                .Select(part => part.GetString()).Where(part => part!.Length > 0));
}
