using System.Globalization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The settings in texts of AUTOMATIC1111's form by the names of AUTOMATIC1111, Forge and the programs that extend it (AUTOMATIC1111,
/// modules/processing.py, create_infotext).
/// </summary>
/// <param name="draft">Receives the settings.</param>
/// <param name="values">Reads values.</param>
/// <param name="settings">All settings of the text; null if those of a second pass are not read.</param>
internal sealed class A1111Settings(
    RequestDraft draft, SettingValues values, IReadOnlyDictionary<string, string>? settings = null)
{
    public const string
        CfgRescale = "CFG Rescale",
        ClipSkip = "Clip skip",
        Emphasis = "Emphasis",
        Eta = "Eta",
        EtaDdim = "Eta DDIM",
        NoiseSchedule = "Noise Schedule",
        NoNorm = "No norm",
        PadConds = "Pad conds",
        VariationSeed = "Variation seed",
        VariationStrength = "Variation seed strength",
        ZeroTerminalSnr = "Zero Terminal SNR";

    // Settings of these programs that do not affect an SDXL picture of this engine.
    private static readonly HashSet<string> WithoutEffect =
    [
        "Version", "Hashes", "Model hash", "Model", "User", "Created Date", "Civitai metadata", "App", "Pipeline", "VAE hash",
        "Batch size", "Batch pos", "Template", "Negative Template", "Performance", "Raw prompt", "Raw negative prompt", PadConds,
        "Hires Distilled CFG Scale",
    ];

    // Values with which a setting changes nothing.
    private static readonly HashSet<(string, string)> Usual =
    [
        ("VAE", "Automatic"), ("VAE", "None"), ("VAE", "Default (model)"), ("Schedule rho", "7"), ("Schedule rho", "7.0"),
        ("Beta schedule alpha", "0.6"), ("Beta schedule beta", "0.6"), ("Seed resize from", "-1x-1"), ("Denoising strength", "1"),
        ("UniPC variant", "bh1"), ("UniPC order", "3"), ("UniPC skip type", "time_uniform"), ("UniPC lower order final", "True"),
        ("ENSD", "0"), ("Token merging ratio", "0"), ("Tiling", "False"), (NoiseSchedule, "Default"), (Emphasis, "Original"),
        ("Image CFG scale", "1"), ("Image CFG scale", "1.5"), ("Noise multiplier", "1"), ("Noise multiplier", "1.0"),
        ("Conditional mask weight", "1"), ("Conditional mask weight", "1.0"), ("Mask mode", "Inpaint masked"),
        (A1111Source.Area, "Whole picture"),
    ];

    private readonly OwnSettings _own = new(values);
    private readonly A1111Hires _hires = new(draft, settings ?? new Dictionary<string, string>());
    private readonly A1111Source _source = new(draft);

    private float _skippedGuidance;
    private bool _isWhole;

    /// <summary>Takes a setting; names it if it cannot be painted.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="ParametersTextException">The value of a main setting cannot be read.</exception>
    public void Take(string name, string value)
    {
        if (_hires.Take(name, value)) return;
        _isWhole |= name == A1111Source.Strength && value == "1";
        if (WithoutEffect.Contains(name) || Usual.Contains((name, value))) return;
        if (TakeMain(name, value) || TakeFurther(name, value) || _source.Take(name, value) || _own.Take(draft, name, value)) return;
        // stable-diffusion.cpp writes the distilled guidance of other models for every model.
        if (draft.Program == Programs.StableDiffusionCpp && name == "Guidance") return;
        draft.Skip(name, value);
    }

    /// <summary>Takes what depends on several settings, after all of them.</summary>
    public void Finish()
    {
        _hires.Finish();
        // Other programs write a strength of 1 for pictures of noise alone, too.
        bool isFromSource = draft.Source is not null || draft.Program == Programs.MuseAtelier;
        if (_isWhole && isFromSource) draft.Source = (draft.Source ?? new ParsedSource()) with { Strength = 1 };
        if (_skippedGuidance == 0 || draft.Steps is not { } steps || steps < 1) return;
        // Forge leaves out guidance while step / steps is at most the setting (modules/sd_samplers_cfg_denoiser.py).
        double first = Math.Floor(_skippedGuidance * (double)steps) + 1;
        draft.GuidanceFrom = (float)Math.Min(1, first / steps);
    }

    // Without these, no picture can be painted as the text describes it.
    private bool TakeMain(string name, string value)
    {
        switch (name)
        {
            case "Steps":
                draft.Steps = values.Whole<int>(name, value);
                return true;
            case "Sampler":
                draft.TakeSampler(name, value);
                return true;
            case "Schedule type" or "Scheduler":
                draft.TakeSchedule(name, value);
                return true;
            case "CFG scale":
                draft.Guidance = values.Number(name, value);
                return true;
            case "Seed":
                draft.Seed = values.Whole<ulong>(name, value);
                return true;
            case "Size":
                (draft.Width, draft.Height) = values.Pair(name, value);
                return true;
            case "RNG":
                TakeNoise(name, value);
                return true;
            case ClipSkip:
                draft.TakeClipSkip(name, value);
                return true;
            default:
                return false;
        }
    }

    private bool TakeFurther(string name, string value)
    {
        switch (name)
        {
            case VariationSeed when ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed):
                draft.VariationSeed = seed;
                return true;
            case VariationStrength:
                draft.TakeNumber(name, value, 1, share => draft.VariationStrength = share);
                return true;
            case Eta or EtaDdim:
                TakeEta(name, value);
                return true;
            case CfgRescale or "CFG rescale" or "CFG Rescale φ" or "RescaleCFG":
                draft.TakeNumber(name, value, 1, share => draft.GuidanceRescale = share);
                return true;
            case "Skip Early CFG":
                draft.TakeNumber(name, value, 1, share => _skippedGuidance = share);
                return true;
            case NoiseSchedule when value == ZeroTerminalSnr:
                TakeZeroTerminalSnr();
                return true;
            case Emphasis:
                TakeEmphasis(name, value);
                return true;
            case "Parser":
                TakeParser(name, value);
                return true;
            case A1111Adapters.LoraHashes:
                A1111Adapters.TakeHashes(draft, value);
                draft.SkipWithoutLoras(name, value);
                return true;
            case A1111Adapters.EmbeddingHashes:
                draft.SkipWithoutEmbeddings(name, value);
                return true;
            default:
                return false;
        }
    }

    // The names of AUTOMATIC1111 and of stable-diffusion.cpp, whose "cuda" is CUDA's generator, computed on the processor.
    private void TakeNoise(string name, string value)
    {
        if (value is "CPU" or "cpu") draft.Noise = NoiseSource.Diffusers;
        else if (value is "GPU" or "NV" or "cuda") draft.Noise = NoiseSource.A1111;
        else draft.Skip($"{name}: {value} (these random numbers are not available; AUTOMATIC1111's are used)");
    }

    // stable-diffusion.cpp writes it for every sampler, and uses it for DDIM alone.
    private void TakeEta(string name, string value)
    {
        bool isUsed = draft.Program != Programs.StableDiffusionCpp || draft.Sampler == SamplerName.Ddim;
        if (isUsed) draft.TakeNumber(name, value, 1, eta => draft.Eta = eta);
    }

    private void TakeZeroTerminalSnr()
    {
        draft.Prediction = ModelPrediction.VelocityZeroSnr;
        if (draft.Program != Programs.MuseAtelier)
            draft.Notice("The text asks for zero terminal SNR, which models of velocity are trained with; the model is taken for one.");
    }

    private void TakeEmphasis(string name, string value)
    {
        if (value == NoNorm) draft.Emphasis = PromptEmphasis.NoNorm;
        // Brackets are text.
        else if (value == "None") draft.PromptSyntax = PromptSyntax.Plain;
        else draft.Skip($"{name}: {value} (weights act as usual here)");
    }

    // SD.Next names the parser of its prompts.
    private void TakeParser(string name, string value)
    {
        if (value.Contains("fixed", StringComparison.OrdinalIgnoreCase)) draft.PromptSyntax = PromptSyntax.Plain;
        else if (value.Contains("compel", StringComparison.OrdinalIgnoreCase)) draft.Skip(name, value);
    }
}
