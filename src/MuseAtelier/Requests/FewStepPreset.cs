using System.Globalization;

namespace MuseAtelier;

/// <summary>
/// The settings for which a distilled model was trained: few steps, mostly without guidance. A preset changes a request and nothing else;
/// the model must be one of its family.
/// </summary>
public sealed record FewStepPreset
{
    private static readonly SamplerName Lcm = new("lcm"), Tcd = new("tcd");

    internal FewStepPreset(string name, string family, SamplerName sampler, int steps)
    {
        Name = name;
        Family = family;
        Sampler = sampler;
        Steps = steps;
    }

    /// <summary>The name, such as <c>lightning-4</c>.</summary>
    public string Name { get; init; }

    /// <summary>The word by which files of the family are named, such as <c>lightning</c>.</summary>
    public string Family { get; init; }

    /// <summary>The sampler.</summary>
    public SamplerName Sampler { get; init; }

    /// <summary>The number of steps.</summary>
    public int Steps { get; init; }

    /// <summary>The guidance scale; 0 for models that were trained to do without.</summary>
    public float GuidanceScale { get; init; }

    /// <summary>The timesteps.</summary>
    public NoiseSchedule Schedule { get; init; } = new() { Spacing = TimestepSpacing.Trailing };

    /// <summary>The strength of the noise in every step; null means the sampler's own default.</summary>
    public float? Eta { get; init; }

    /// <summary>What the model predicts; <see cref="ModelPrediction.Automatic"/> leaves the request's.</summary>
    public ModelPrediction Prediction { get; init; }

    /// <summary>All presets.</summary>
    public static IReadOnlyList<FewStepPreset> All { get; } =
    [
        // Lin et al. (2024), "SDXL-Lightning"; the card of ByteDance/SDXL-Lightning: Euler, trailing, no guidance, and a model of its own
        // for each number of steps. The model of one step predicts the clean latents.
        new("lightning-1", "lightning", SamplerName.Euler, 1) { Prediction = ModelPrediction.Sample },
        new("lightning-2", "lightning", SamplerName.Euler, 2),
        new("lightning-4", "lightning", SamplerName.Euler, 4),
        new("lightning-8", "lightning", SamplerName.Euler, 8),
        // Ren et al. (2024), "Hyper-SD"; the card of ByteDance/Hyper-SD: DDIM, trailing. The UNet of one step begins at timestep 800; the
        // LoRA of one step has TCD's sampler. The LoRAs that keep guidance take a scale of 5 to 8.
        new("hyper-1", "hyper", Lcm, 1) { Schedule = At(800) },
        new("hyper-1-lora", "hyper", Tcd, 1) { Schedule = OfConsistency, Eta = 1 },
        new("hyper-2", "hyper", SamplerName.Ddim, 2),
        new("hyper-4", "hyper", SamplerName.Ddim, 4),
        new("hyper-8", "hyper", SamplerName.Ddim, 8),
        new("hyper-8-cfg", "hyper", SamplerName.Ddim, 8) { GuidanceScale = 5 },
        new("hyper-12-cfg", "hyper", SamplerName.Ddim, 12) { GuidanceScale = 5 },
        // Yin et al. (2024), "Improved Distribution Matching Distillation"; the README of tianweiy/DMD2: LCM at these timesteps.
        new("dmd2-1", "dmd2", Lcm, 1) { Schedule = At(399) },
        new("dmd2-4", "dmd2", Lcm, 4) { Schedule = At(999, 749, 499, 249) },
        // Luo et al. (2023), "LCM-LoRA": LCM's own timesteps, a guidance scale of 1 to 2.
        new("lcm-4", "lcm", Lcm, 4) { Schedule = OfConsistency, GuidanceScale = 1 },
        new("lcm-8", "lcm", Lcm, 8) { Schedule = OfConsistency, GuidanceScale = 1 },
        // Zheng et al. (2024), "Trajectory Consistency Distillation"; the README of jabir-zheng/TCD: eta 0.3.
        new("tcd-4", "tcd", Tcd, 4) { Schedule = OfConsistency, Eta = 0.3f },
        new("tcd-8", "tcd", Tcd, 8) { Schedule = OfConsistency, Eta = 0.3f },
        // Sauer et al. (2023), "Adversarial Diffusion Distillation"; the card of stabilityai/sdxl-turbo. It was trained at 512 by 512.
        new("turbo-1", "turbo", SamplerName.EulerAncestral, 1),
        new("turbo-4", "turbo", SamplerName.EulerAncestral, 4),
    ];

    private static NoiseSchedule OfConsistency => new() { Spacing = TimestepSpacing.Lcm };

    /// <summary>The preset of a name, in any case; null if there is none.</summary>
    /// <param name="name">The name, such as <c>lightning-4</c>.</param>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public static FewStepPreset? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(preset => preset.Name.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A request with the preset's sampler, timesteps, steps, guidance scale, eta and prediction.</summary>
    /// <param name="request">Supplies all other members, and the prediction where the preset has none.</param>
    /// <exception cref="ArgumentNullException">The request is null.</exception>
    public PictureRequest ApplyTo(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request with
        {
            Sampler = Sampler,
            Schedule = Schedule,
            Steps = Steps,
            GuidanceScale = GuidanceScale,
            Eta = Eta,
            Prediction = Prediction == ModelPrediction.Automatic ? request.Prediction : Prediction,
        };
    }

    /// <summary>
    /// A sentence for the user if the preset seems to fit neither a model nor the LoRAs that change it: no name or title has the family's
    /// word, or the one that has it names another number of steps, written as <c>4step</c> or <c>4 steps</c> with any sign between. Null if
    /// it fits.
    /// </summary>
    /// <param name="modelName">The model's file name.</param>
    /// <param name="title">The title that the model states, if any.</param>
    /// <param name="loras">The names of the LoRAs that change the model, if any.</param>
    /// <exception cref="ArgumentNullException">The model's name is null.</exception>
    public string? MisfitOf(string modelName, string? title = null, IEnumerable<string>? loras = null)
    {
        ArgumentNullException.ThrowIfNull(modelName);
        (string Name, string Text)[] files = [(modelName, $"{modelName} {title}"), .. (loras ?? []).Select(lora => (lora, lora))];
        (string Name, string Text)[] ofFamily =
            [.. files.Where(file => file.Text.Contains(Family, StringComparison.OrdinalIgnoreCase))];
        if (ofFamily.Length == 0)
        {
            string others = files.Length > 1 ? " or of a LoRA" : "";
            return $"The preset {Name} is for models of the family {Family}, and neither the name nor the title of {modelName}{others} has "
                + "this word: if it is another model, paint without a preset.";
        }

        foreach ((string name, string text) in ofFamily)
        {
            if (StepsIn(text) is not { } steps || steps == Steps) continue;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"The preset {Name} has {Steps} steps, and {name} names {steps}: the picture is best with the steps of its training.");
        }

        return null;
    }

    private static NoiseSchedule At(params ReadOnlySpan<int> timesteps) =>
        new() { Spacing = TimestepSpacing.Trailing, Timesteps = new TimestepList(timesteps) };

    // The number before the word "step", at most one sign between.
    private static int? StepsIn(string text)
    {
        int word = text.IndexOf("step", StringComparison.OrdinalIgnoreCase);
        int end = word > 0 && !char.IsAsciiLetterOrDigit(text[word - 1]) ? word - 1 : word;
        int begin = Math.Max(end, 0);
        while (begin > 0 && char.IsAsciiDigit(text[begin - 1])) begin--;
        return end > begin && int.TryParse(text.AsSpan(begin, end - begin), CultureInfo.InvariantCulture, out int steps) ? steps : null;
    }
}
