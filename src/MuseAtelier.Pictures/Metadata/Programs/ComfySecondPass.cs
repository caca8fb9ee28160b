using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads the nodes of a ComfyUI graph by which a second KSampler paints the enlarged latents of the first one again (nodes.py,
/// LatentUpscale, LatentUpscaleBy). It runs exactly its steps, as a second pass of this engine does.
/// </summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the second pass; its prompts, its seed and its size are set.</param>
internal sealed class ComfySecondPass(ComfyNodes nodes, RequestDraft draft)
{
    private const float LargestScale = 8;
    private const int MostSteps = 1000;

    private static readonly Dictionary<string, HiresUpscaler> Methods = new(StringComparer.Ordinal)
    {
        ["bilinear"] = HiresUpscaler.Latent,
        ["bicubic"] = HiresUpscaler.LatentBicubic,
        ["nearest-exact"] = HiresUpscaler.LatentNearest,
    };

    /// <summary>Takes a second sampler.</summary>
    /// <param name="second">The sampler that does not begin with an empty picture.</param>
    /// <param name="model">The node of the first sampler's model.</param>
    /// <returns>Whether it is a second pass that can be read.</returns>
    public bool Take(JsonElement second, JsonElement? model)
    {
        if (ComfyNodes.Class(second) != "KSampler" || nodes.Follow(second, "latent_image") is not { } upscale) return false;
        bool isOfSampler = nodes.Follow(upscale, "samples") is { } first
            && ComfyNodes.Class(first).Contains("Sampler", StringComparison.Ordinal);
        if (!isOfSampler || ScaleOf(upscale) is not (> 1 and <= LargestScale and var scale)) return false;
        if (nodes.Single(second, "denoise") is not (> 0 and <= 1 and var strength)) return false;
        if (nodes.Whole(second, "steps") is not (>= 1 and <= MostSteps and var steps)) return false;
        draft.Hires = new HiresPass
        {
            Scale = scale,
            Strength = strength,
            Steps = steps,
            Upscaler = UpscalerOf(upscale),
            Prompt = Other("positive", second, draft.Prompt),
            NegativePrompt = Other("negative", second, draft.Negative),
            Sampler = SamplerOf(second),
            Schedule = ScheduleOf(second),
            GuidanceScale = nodes.Single(second, "cfg") is { } cfg && cfg != draft.Guidance ? cfg : null,
        };
        NameOthers(second, model);
        return true;
    }

    private float? ScaleOf(JsonElement upscale)
    {
        switch (ComfyNodes.Class(upscale))
        {
            case "LatentUpscaleBy":
                return nodes.Single(upscale, "scale_by");
            case "LatentUpscale" when nodes.Whole(upscale, "width") is { } width && nodes.Whole(upscale, "height") is { } height:
                float scale = (float)width / draft.Width ?? 0;
                bool isSameShape = Math.Abs(scale * (draft.Height ?? 0) - height) < RequestRules.SizeMultiple;
                return isSameShape ? scale : null;
            default:
                return null;
        }
    }

    private HiresUpscaler UpscalerOf(JsonElement upscale)
    {
        string method = nodes.Text(upscale, "upscale_method") ?? "";
        if (Methods.TryGetValue(method, out HiresUpscaler? known)) return known;
        draft.Skip("upscale_method", $"{method} (enlarged with {HiresUpscaler.Latent.Id})");
        return HiresUpscaler.Latent;
    }

    // Null if the text is that of the first pass.
    private string? Other(string input, JsonElement second, string? first)
    {
        string? text = nodes.Follow(second, input) is { } node ? nodes.Text(node, "text") : null;
        if (text is null) draft.Skip($"the {input} conditioning of the second KSampler");
        return text == first ? null : text;
    }

    private SamplerName? SamplerOf(JsonElement second)
    {
        string name = nodes.Text(second, "sampler_name") ?? "";
        SamplerName? sampler = SamplerNames.Find(name);
        if (sampler is null) draft.Skip("sampler_name of the second KSampler", name);
        return sampler == draft.Sampler ? null : sampler;
    }

    private NoiseSchedule? ScheduleOf(JsonElement second)
    {
        string name = nodes.Text(second, "scheduler") ?? "";
        NoiseSchedule? schedule = ScheduleCatalog.Find(name);
        if (schedule is null) draft.Skip("scheduler of the second KSampler", name);
        bool isSame = schedule is not null && schedule.Karras == draft.Karras && (schedule.Karras || schedule.Spacing == draft.Spacing);
        return isSame ? null : schedule;
    }

    private void NameOthers(JsonElement second, JsonElement? model)
    {
        ulong? seed = nodes.Seed(second, "seed");
        if (seed != draft.Seed) draft.Skip(Invariant($"seed of the second KSampler: {seed} (painted with the first one's)"));
        bool isSame = nodes.Follow(second, "model")?.GetRawText() == model?.GetRawText();
        if (!isSame) draft.Skip("the model of the second KSampler (painted with the first one's)");
    }
}
