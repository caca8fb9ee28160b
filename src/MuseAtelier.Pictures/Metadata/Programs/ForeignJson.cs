using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the JSON of other programs. Each method uses the member names of its program.</summary>
internal static class ForeignJson
{
    /// <summary>SwarmUI: <c>sui_image_params</c>. SwarmUI paints with ComfyUI.</summary>
    public static RequestDraft SwarmUi(JsonElement json)
    {
        var draft = new RequestDraft(Programs.SwarmUi);
        var fields = new JsonFields(draft, json.GetProperty("sui_image_params"));
        TakeUsual(draft, fields, "prompt", "negativeprompt", "steps", "cfgscale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        if (fields.Text("scheduler") is { } scheduler) draft.TakeSchedule("scheduler", scheduler);
        if (fields.Text("clipstopatlayer") is { } layer) draft.TakeClipSkip("clipstopatlayer", layer);
        draft.VariationSeed = fields.Seed("variationseed") ?? 0;
        fields.Take("variationseedstrength", 1, share => draft.VariationStrength = share);
        // It acts on an empty negative prompt alone.
        if (fields.Flag("zeronegative") ?? false) draft.EmptyNegative = EmptyNegative.Zeros;
        draft.ModelName = Model(fields.Text("model"));
        fields.Ignore("aspectratio", "sidelength", "images", "batchsize", "swarm_version", "date", "generation_time", "prep_time",
            "nopreviews", "automaticvae", "colordepth", "autobreak");
        fields.Ignore("imageformat", "internalbackendtype", "wildcardseed", "original_prompt", "used_wildcards", "presets",
            "cleanupprompts", "donotsave", "personalnote", "altresolutionheightmultiplier", "webhooks");
        // These belong to a picture or to parts of one that are painted over; without such a picture they change nothing.
        if (fields.Text("initimage") is null) fields.Ignore("initimagecreativity", "maskblur");
        fields.IgnoreAll("segment");
        if (draft.Prompt?.Contains("<segment:", StringComparison.Ordinal) ?? false)
            draft.Skip("segments, which are painted again");
        ForeignLoras.TakeSwarmUi(draft, fields);
        fields.SkipRest();
        return draft;
    }

    /// <summary>Fooocus and its forks: a flat object. The prompts have the styles applied.</summary>
    public static RequestDraft Fooocus(JsonElement json)
    {
        var draft = new RequestDraft(Programs.Fooocus);
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
        if (fields.Text("scheduler") is { } scheduler) TakeFooocusSchedule(draft, scheduler);
        if (fields.Text("clip_skip") is { } skip) draft.TakeClipSkip("clip_skip", skip);
        draft.ModelName = Model(fields.Text("base_model", "base_model_name"));
        draft.ModelHash = fields.Text("base_model_hash");
        fields.Ignore("prompt", "negative_prompt", "prompt_expansion", "styles", "performance", "metadata_scheme", "version", "software",
            "Software", "created_by", "full_prompt", "full_negative_prompt");
        if (Member(json, "refiner_model") is null or "None" or "") fields.Ignore("refiner_switch");
        // Each LoRA is named twice.
        if (json.TryGetProperty("loras", out _)) fields.IgnoreAll("lora_combined_");
        ForeignLoras.TakeFooocus(draft, json, fields);
        fields.SkipRest();
        return draft;
    }

    /// <summary>InvokeAI since version 3: <c>invokeai_metadata</c>. InvokeAI samples with diffusers.</summary>
    public static RequestDraft InvokeAi(JsonElement json)
    {
        var draft = new RequestDraft(Programs.InvokeAi);
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "positive_prompt", "negative_prompt", "steps", "cfg_scale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("scheduler") is { } scheduler) TakeInvokeScheduler(draft, scheduler);
        fields.Take("cfg_rescale_multiplier", 1, share => draft.GuidanceRescale = share);
        if (fields.Element("model") is { } model) draft.ModelName = Model(NameOf(model));
        if (fields.Element("vae") is { } vae) draft.Skip("vae", NameOf(vae) ?? vae.GetRawText());
        // Torch's CUDA generator draws the noise at the start.
        if (fields.Text("rand_device") is "cuda") draft.Noise = NoiseSource.A1111;
        // InvokeAI does not use the setting with SDXL.
        fields.IgnoreUsual("clip_skip", "0", "1", "2");
        fields.IgnoreUsual("generation_mode", "sdxl_txt2img", "txt2img");
        fields.IgnoreUsual("positive_style_prompt", draft.Prompt ?? "");
        fields.IgnoreUsual("negative_style_prompt", draft.Negative ?? "");
        fields.Ignore("app_version", "type", "id", "canvas_v2_metadata", "hrf_method", "hrf_strength");
        ForeignLoras.TakeInvokeAi(draft, fields);
        fields.SkipRest();
        CompelPrompt.Take(draft);
        return draft;
    }

    /// <summary>NovelAI: the JSON under <c>Comment</c>.</summary>
    public static RequestDraft NovelAi(JsonElement json)
    {
        var draft = new RequestDraft(Programs.NovelAi);
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "prompt", "uc", "steps", "scale", "seed");
        (draft.Width, draft.Height) = (fields.Whole("width"), fields.Whole("height"));
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        if (fields.Text("noise_schedule") is { } schedule && schedule != "native") draft.TakeSchedule("noise_schedule", schedule);
        fields.Take("cfg_rescale", 1, share => draft.GuidanceRescale = share);
        // Every picture has the other members, so only values that change the picture are named.
        foreach (string name in (string[])["sm", "sm_dyn", "dynamic_thresholding", "image", "reference_image", "skip_cfg_above_sigma",
            "uncond_scale"])
            if (json.TryGetProperty(name, out JsonElement value)
                && value.GetRawText() is not ("null" or "false" or "0" or "0.0" or "1" or "1.0" or "\"\"")) draft.Skip(name,
                    value.GetRawText());
        return draft;
    }

    /// <summary>Draw Things: the JSON of XMP's user comment.</summary>
    public static RequestDraft DrawThings(JsonElement json)
    {
        var draft = new RequestDraft(Programs.DrawThings);
        var fields = new JsonFields(draft, json);
        TakeUsual(draft, fields, "c", "uc", "steps", "scale", "seed");
        if (fields.Text("size") is { } size) TakePair(draft, "size", size);
        if (fields.Text("sampler") is { } sampler) draft.TakeSampler("sampler", sampler);
        string mode = fields.Text("seed_mode") ?? "";
        draft.Noise = mode.StartsWith("Torch CPU", StringComparison.OrdinalIgnoreCase) ? NoiseSource.Diffusers : NoiseSource.A1111;
        if (!mode.Contains("compatible", StringComparison.OrdinalIgnoreCase))
            draft.Notice(ProgramHabits.OwnNoise("This seed mode of Draw Things"));
        draft.ModelName = Model(fields.Text("model"));
        TakeSizes(draft, fields, fields.Element("v2"));
        // The setting is the eta of TCD, and of no other sampler.
        if (draft.Sampler.Id == "tcd") fields.Take("stochastic_sampling_gamma", 1, eta => draft.Eta = eta);
        else fields.Ignore("stochastic_sampling_gamma");
        if (PromptSyntaxNotice.Of($"{draft.Prompt}\n{draft.Negative}", "prompt", PromptSyntax.Plain) is not null)
            draft.Notice("Draw Things weights words in a way of its own; they are weighted as in AUTOMATIC1111.");
        fields.IgnoreUsual("strength", "1", "1.0");
        fields.IgnoreUsual("shift", "1", "1.0");
        // Tiles change a picture's seams at most.
        fields.IgnoreAll("decoding_tile");
        fields.Ignore("profile", "mask_blur", "mask_blur_outset", "negative_original_size", "tiled_decoding");
        fields.SkipRest();
        return draft;
    }

    /// <summary>Stability Matrix: <c>parameters-json</c>. Stability Matrix paints with ComfyUI.</summary>
    public static RequestDraft StabilityMatrix(JsonElement json)
    {
        var draft = new RequestDraft(Programs.StabilityMatrix);
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
        var draft = new RequestDraft(Programs.EasyDiffusion);
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

    private static void TakeUsual(RequestDraft draft, JsonFields fields, string prompt, string negative, string steps, string guidance,
        string seed)
    {
        draft.Prompt = fields.Text(prompt);
        draft.Negative = fields.Text(negative);
        draft.Steps = fields.Whole(steps);
        draft.Guidance = fields.Single(guidance);
        draft.Seed = fields.Seed(seed);
    }

    // Some schedules change the model's sampling too (modules/async_worker.py, apply_patches; modules/core.py).
    private static void TakeFooocusSchedule(RequestDraft draft, string value)
    {
        switch (value)
        {
            case "lcm" or "tcd" when draft.Sampler.Id == value:
                draft.Spacing = TimestepSpacing.SgmUniform;
                break;
            case "edm_playground_v2.5":
                draft.Karras = true;
                draft.Prediction = ModelPrediction.Edm;
                break;
            case "turbo":
                TurboTimesteps.Take(draft, "scheduler: turbo");
                break;
            default:
                draft.TakeSchedule("scheduler", value);
                break;
        }
    }

    // diffusers' schedulers; those whose names end with _k use Karras sigmas (backend/stable_diffusion/schedulers/schedulers.py).
    private static void TakeInvokeScheduler(RequestDraft draft, string value)
    {
        bool isKarras = value.EndsWith("_k", StringComparison.Ordinal);
        draft.TakeSampler("scheduler", isKarras ? value[..^2] : value);
        draft.Karras |= isKarras;
    }

    // The sizes are members of the text or of the program's whole configuration.
    private static void TakeSizes(RequestDraft draft, JsonFields fields, JsonElement? configuration)
    {
        int? Of(string name) => configuration is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty(name, out JsonElement value)
            && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;
        if (Of("clipSkip") is { } skip) draft.TakeClipSkip("clipSkip", skip.ToString(CultureInfo.InvariantCulture));
        (int Width, int Height)? original = fields.Text("original_size") is { } first ? Pair(first) : null;
        (int Width, int Height)? target = fields.Text("target_size") is { } second ? Pair(second) : null;
        int left = Of("cropLeft") ?? 0;
        int top = Of("cropTop") ?? 0;
        if (draft.Width is not { } width || draft.Height is not { } height) return;
        var usual = new MicroConditioning(width, height, 0, 0, width, height);
        var sizes = new MicroConditioning(
            original?.Width ?? Of("originalWidth") ?? width,
            original?.Height ?? Of("originalHeight") ?? height,
            left,
            top,
            target?.Width ?? Of("targetWidth") ?? width,
            target?.Height ?? Of("targetHeight") ?? height);
        if (sizes != usual) draft.Conditioning = sizes;
    }

    private static void TakePair(RequestDraft draft, string name, string value)
    {
        if (Pair(value) is { } size) (draft.Width, draft.Height) = size;
        else draft.Skip(name, value);
    }

    // Reads "1152x896", "(1152, 896)" and the like.
    private static (int Width, int Height)? Pair(string value)
    {
        string[] parts = value.Trim('(', ')', '[', ']', ' ').Split([',', 'x', '×', '*'], StringSplitOptions.TrimEntries);
        return parts.Length == 2 && Side(parts[0]) is { } width && Side(parts[1]) is { } height ? (width, height) : null;
    }

    private static int? Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int side) ? side
        : null;

    private static string? NameOf(JsonElement model) => Member(model, "name") ?? Member(model, "model_name");

    private static string? Joined(JsonElement? list) =>
        list is not { ValueKind: JsonValueKind.Array } parts ? null
            : string.Join(", ", parts.EnumerateArray().Where(part => part.ValueKind == JsonValueKind.String)
                .Select(part => part.GetString()).Where(part => part!.Length > 0));
}
