using System.Globalization;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// Reads the second pass of txt2img, hires fix, with AUTOMATIC1111's defaults (modules/processing.py,
/// StableDiffusionProcessingTxt2Img).
/// </summary>
/// <param name="upscalers">The ways to enlarge the picture.</param>
/// <param name="limits">The limits.</param>
internal sealed class SecondPass(UpscalerShelf upscalers, ServerLimits limits)
{
    private const string UpscalerName = "hr_upscaler";

    private static readonly (string Name, HiresUpscaler Upscaler)[] Known =
    [
        ("Latent", HiresUpscaler.Latent),
        ("Latent (bicubic)", HiresUpscaler.LatentBicubic),
        ("Latent (nearest)", HiresUpscaler.LatentNearest),
        // An upscaler that does nothing leaves the enlarging to Lanczos (modules/upscaler.py, Upscaler.upscale).
        ("None", HiresUpscaler.Lanczos), ("Lanczos", HiresUpscaler.Lanczos),
    ];

    private static readonly string[] SameWords = ["Use same sampler", "Use same scheduler", "Use same checkpoint", "None", ""];

    /// <summary>The ways that work on latents, by AUTOMATIC1111's names.</summary>
    public static IEnumerable<string> LatentNames => Known.Where(known => known.Name.StartsWith("Latent", StringComparison.Ordinal))
        .Select(known => known.Name);

    /// <summary>AUTOMATIC1111's name for a way to enlarge the picture.</summary>
    public static string NameOf(HiresUpscaler upscaler) =>
        Known.LastOrDefault(known => known.Upscaler == upscaler).Name ?? UpscalerShelf.NameOf(upscaler);

    /// <summary>Whether a field of the second pass is absent, or says that it is as in the first.</summary>
    public static bool IsSame(ClientFields fields, string name) =>
        fields.Text(name) is not { } text || SameWords.Contains(text, StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads the second pass.</summary>
    /// <param name="fields">The fields of the call.</param>
    /// <param name="first">The first pass.</param>
    /// <returns>The pass; null if the call asks for none.</returns>
    /// <exception cref="ServerRequestException">A field has no such value, or the server cannot do what it asks.</exception>
    public HiresPass? Read(ClientFields fields, PictureRequest first)
    {
        if (fields.Flag("enable_hr") != true) return null;
        (int width, int height) = (first.Width, first.Height);
        if (!IsSame(fields, "hr_checkpoint_name"))
            throw fields.NotSupported("hr_checkpoint_name", "both passes have one model. Leave it out.");
        var pass = new HiresPass
        {
            Scale = ScaleOf(fields, width, height),
            Strength = fields.Number("denoising_strength", 0, 1) ?? 0.75f,
            Steps = fields.Whole("hr_second_pass_steps", 0, RequestRules.MostSteps) is > 0 and var steps ? (int)steps : null,
            Upscaler = UpscalerOf(fields),
            Prompt = PromptOf(fields, "hr_prompt"),
            NegativePrompt = PromptOf(fields, "hr_negative_prompt"),
            GuidanceScale = fields.Number("hr_cfg", 0, RequestRules.LargestGuidanceScale) is > 0 and var guidance ? guidance : null,
        };
        pass = WithSampler(pass, fields, first);
        (int wide, int high) = pass.SizeOf(width, height);
        if ((long)wide * high <= limits.Pixels) return pass;
        throw Problems.BadValue(
            "hr_scale", $"the second pass has {wide}x{high} px", $"at most {limits.Pixels} px in all", "Choose a smaller scale.");
    }

    // The schedule of the first pass counts for another sampler, too, unless the second pass has one of its own.
    private static HiresPass WithSampler(HiresPass pass, ClientFields fields, PictureRequest first)
    {
        NamedSampler? own = IsSame(fields, "hr_sampler_name") ? null : NamedSampler.Read(fields, "hr_sampler_name", "hr_scheduler");
        if (own is null && IsSame(fields, "hr_scheduler")) return pass;
        NamedSampler usual = NamedSampler.OfCall(fields);
        string schedule = own?.Schedule
            ?? (IsSame(fields, "hr_scheduler") ? null : NamedSampler.ScheduleOf(fields, "hr_scheduler"))
            ?? usual.Schedule ?? NamedSampler.Automatic;
        return pass with
        {
            Sampler = own?.Sampler,
            Schedule = new NamedSampler(own?.Sampler ?? first.Sampler, schedule).ToSchedule("hr_scheduler"),
        };
    }

    // hr_resize_x and hr_resize_y count more than hr_scale; where one is 0, the proportions stay.
    private static float ScaleOf(ClientFields fields, int width, int height)
    {
        float scale = fields.Number("hr_scale", 1, 8) ?? 2;
        int x = (int?)fields.Whole("hr_resize_x", 0, int.MaxValue) ?? 0;
        int y = (int?)fields.Whole("hr_resize_y", 0, int.MaxValue) ?? 0;
        if (x == 0 && y == 0) return scale;
        scale = x > 0 ? (float)x / width : (float)y / height;
        (int wide, int high) = new HiresPass { Scale = scale }.SizeOf(width, height);
        if ((x == 0 || x == wide) && (y == 0 || y == high)) return scale;
        throw fields.NotSupported(
            x > 0 ? "hr_resize_x" : "hr_resize_y",
            string.Create(CultureInfo.InvariantCulture, $"the second pass has the proportions of {width}x{height} px, in multiples of ")
                + $"{RequestRules.SizeMultiple} px. Use hr_scale.");
    }

    private HiresUpscaler UpscalerOf(ClientFields fields)
    {
        if (fields.Text(UpscalerName) is not { Length: > 0 } name) return HiresUpscaler.Latent;
        foreach ((string known, HiresUpscaler upscaler) in Known)
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase)) return upscaler;
        NamedUpscaler? model = upscalers.All.FirstOrDefault(
            each => each.IsModel && each.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return model?.Upscaler ?? throw fields.NotSupported(
            UpscalerName,
            $"there is no upscaler {ClientFields.Quote(fields.Find(UpscalerName)!.Value)}. Choose one of /sdapi/v1/upscalers or "
                + "/sdapi/v1/latent-upscale-modes.");
    }

    private string? PromptOf(ClientFields fields, string name) =>
        fields.Prompt(name, limits.PromptCharacters) is { Length: > 0 } text ? text : null;
}
