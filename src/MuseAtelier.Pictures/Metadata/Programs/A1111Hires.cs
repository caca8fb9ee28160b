using System.Globalization;
using MuseAtelier.Conditioning;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The settings of a second pass (hires fix) in texts of AUTOMATIC1111's form (AUTOMATIC1111 and Forge, modules/processing.py,
/// StableDiffusionProcessingTxt2Img.init). The names of latent upscalers are those of modules/shared_items.py, latent_upscale_modes.
/// </summary>
internal sealed class A1111Hires
{
    public const string
        Guidance = "Hires CFG Scale",
        NegativePrompt = "Hires negative prompt",
        Prompt = "Hires prompt",
        Resize = "Hires resize",
        Sampler = "Hires sampler",
        Schedule = "Hires schedule type",
        Steps = "Hires steps",
        Upscale = "Hires upscale",
        Upscaler = "Hires upscaler";

    private const float LargestScale = 8;
    private const int MostSteps = 1000;

    // Values with which a setting changes nothing.
    private static readonly HashSet<(string, string)> Usual =
    [
        (Sampler, "Use same sampler"), (Schedule, "Use same scheduler"), (Steps, "0"), (Resize, "0x0"), (Prompt, ""), (NegativePrompt, ""),
        ("Hires checkpoint", "Use same checkpoint"), ("Hires Module 1", "Use same choices"), ("Hires Module 1", "Built-in"),
    ];

    // AUTOMATIC1111's upscaler None leaves the picture to Lanczos, which brings every enlarged picture to its size.
    private static readonly Dictionary<string, HiresUpscaler> Upscalers = new(StringComparer.Ordinal)
    {
        ["Latent"] = HiresUpscaler.Latent,
        ["Latent (antialiased)"] = HiresUpscaler.Latent,
        ["Latent (bicubic)"] = HiresUpscaler.LatentBicubic,
        ["Latent (nearest)"] = HiresUpscaler.LatentNearest,
        ["Lanczos"] = HiresUpscaler.Lanczos,
        ["None"] = HiresUpscaler.Lanczos,
    };

    // Latent upscalers that another one comes near to.
    private static readonly Dictionary<string, HiresUpscaler> Near = new(StringComparer.Ordinal)
    {
        ["Latent (bicubic antialiased)"] = HiresUpscaler.LatentBicubic,
        ["Latent (nearest-exact)"] = HiresUpscaler.LatentNearest,
    };

    private readonly RequestDraft _draft;
    private readonly bool _hasOwnStrength;
    private (int Width, int Height) _size;
    private HiresPass _pass = new();
    private bool _hasScale;

    /// <summary>Reads the settings of a text.</summary>
    /// <param name="draft">Receives the second pass.</param>
    /// <param name="settings">All settings of the text.</param>
    public A1111Hires(RequestDraft draft, IReadOnlyDictionary<string, string> settings)
    {
        _draft = draft;
        _hasOwnStrength = settings.ContainsKey(OwnSettings.HiresStrength);
        // Without these two, a text does not say how its picture is enlarged.
        IsThere = settings.ContainsKey(Upscaler) && (settings.ContainsKey(Upscale) || settings.ContainsKey(Resize));
    }

    /// <summary>Whether the text has a second pass that can be read.</summary>
    public bool IsThere { get; }

    /// <summary>The settings of a request's second pass.</summary>
    public static IEnumerable<(string Name, string Value)> SettingsOf(PictureRequest request)
    {
        if (request.Hires is not { } pass) yield break;
        // AUTOMATIC1111 has one strength, because it has no second pass after image to image.
        yield return (request.Source is null ? A1111Source.Strength : OwnSettings.HiresStrength, Number(pass.Strength));
        yield return (Upscale, Number(pass.Scale));
        if (pass.Steps is { } steps) yield return (Steps, Number(steps));
        yield return (Upscaler, NameOf(pass.Upscaler));
        if (pass.Sampler is { } sampler) yield return (Sampler, SamplerCatalog.BuiltIn.DisplayName(sampler));
        if (pass.Schedule is { } schedule)
        {
            string? label = ScheduleNames.LabelOf(schedule.Spacing);
            yield return (Schedule, schedule.Karras ? "Karras" : label ?? "Automatic");
            if (label is null || schedule.Karras) yield return (OwnSettings.HiresSpacing, ScheduleNames.IdOf(schedule.Spacing));
        }

        if (A1111Adapters.SecondPromptOf(request) is { Length: > 0 } prompt) yield return (Prompt, prompt);
        if (pass.NegativePrompt is { Length: > 0 } negative)
            yield return (NegativePrompt, PromptComments.Strip(negative, request.PromptSyntax));
        if (pass.GuidanceScale is { } guidance) yield return (Guidance, Number(guidance));
    }

    /// <summary>Takes a setting of the second pass.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is one with a value that can be read.</returns>
    public bool Take(string name, string value)
    {
        if (!IsThere) return false;
        if (Usual.Contains((name, value))) return true;
        switch (name)
        {
            case A1111Source.Strength when !_hasOwnStrength && Number(value) is > 0 and <= 1 and var strength:
                _pass = _pass with { Strength = strength };
                return true;
            case OwnSettings.HiresStrength when Number(value) is > 0 and <= 1 and var strength:
                _pass = _pass with { Strength = strength };
                return true;
            case Upscale when Number(value) is > 1 and <= LargestScale and var scale:
                (_pass, _hasScale) = (_pass with { Scale = scale }, true);
                return true;
            case Resize when SizeOf(value) is { } size:
                _size = size;
                return true;
            case Steps when Whole(value) is >= 1 and <= MostSteps and var steps:
                _pass = _pass with { Steps = steps };
                return true;
            case Upscaler:
                TakeUpscaler(value);
                return true;
            case Prompt:
                _pass = _pass with { Prompt = value };
                return true;
            case NegativePrompt:
                _pass = _pass with { NegativePrompt = value };
                return true;
            case OwnSettings.HiresLoras when value == A1111Adapters.None || A1111Adapters.TakeTags(_draft, value, isOfSecondPass: true):
                // Looking them up fills the list.
                _pass = _pass with { Loras = [] };
                if (value != A1111Adapters.None) _draft.SkipWithoutLoras(name, value);
                return true;
            case Guidance when Number(value) is 0 or (>= 1 and <= RequestRules.LargestGuidanceScale):
                _pass = _pass with { GuidanceScale = Number(value) };
                return true;
            default:
                return TakeSampling(name, value);
        }
    }

    /// <summary>Gives the second pass to the draft, after all settings.</summary>
    public void Finish()
    {
        if (!IsThere) return;
        if (_size != default && !_hasScale) TakeSize();
        if (_hasScale) _draft.Hires = _pass;
    }

    private static string NameOf(HiresUpscaler upscaler)
    {
        foreach ((string name, HiresUpscaler known) in Upscalers) if (known == upscaler) return name;
        return SamplerNames.Model(RecordedFileName.Of(upscaler.Path) ?? upscaler.Id);
    }

    private bool TakeSampling(string name, string value)
    {
        switch (name)
        {
            case Sampler when SamplerNames.Find(value) is { } sampler:
                _pass = _pass with { Sampler = sampler };
                return true;
            case Schedule when value == "Karras":
                _pass = _pass with { Schedule = new NoiseSchedule { Karras = true } };
                return true;
            case Schedule when ScheduleNames.Find(SamplerNames.Fold(value)) is { } spacing:
                _pass = _pass with { Schedule = new NoiseSchedule { Spacing = spacing } };
                return true;
            case Schedule when value == "Automatic":
                _pass = _pass with { Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Automatic } };
                return true;
            case OwnSettings.HiresSpacing when ScheduleNames.OfId(value) is { } spacing:
                _pass = _pass with { Schedule = (_pass.Schedule ?? new NoiseSchedule()) with { Spacing = spacing } };
                return true;
            default:
                return false;
        }
    }

    private void TakeUpscaler(string value)
    {
        if (Upscalers.TryGetValue(value, out HiresUpscaler? known))
        {
            _pass = _pass with { Upscaler = known };
            return;
        }

        HiresUpscaler near = Near.GetValueOrDefault(value, HiresUpscaler.Lanczos);
        _pass = _pass with { Upscaler = near };
        _draft.Skip(Upscaler, $"{value} (enlarged with {near.Id})");
    }

    // One side may be 0, which keeps the picture's shape. Both sides of another shape cut the picture, which this engine does not do.
    private void TakeSize()
    {
        if (_draft.Width is not (> 0 and var width) || _draft.Height is not (> 0 and var height)) return;
        float scale = Math.Max((float)_size.Width / width, (float)_size.Height / height);
        if (!(scale is > 1 and <= LargestScale))
        {
            _draft.Skip(Invariant($"{Resize}: {_size.Width}x{_size.Height}"));
            return;
        }

        (_pass, _hasScale) = (_pass with { Scale = scale }, true);
        (int w, int h) = _pass.SizeOf(width, height);
        bool isSame = (_size.Width == 0 || Math.Abs(w - _size.Width) < RequestRules.SizeMultiple)
            && (_size.Height == 0 || Math.Abs(h - _size.Height) < RequestRules.SizeMultiple);
        if (!isSame) _draft.Skip(Invariant($"{Resize}: {_size.Width}x{_size.Height} (painted in the shape of the first pass, {w}x{h})"));
    }

    private static (int Width, int Height)? SizeOf(string value)
    {
        string[] parts = value.Split('x', 3);
        return parts.Length == 2 && Whole(parts[0]) is { } width && Whole(parts[1]) is { } height ? (width, height) : null;
    }

    private static int? Whole(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static float? Number(string value) =>
        float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number : null;

    private static string Number<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
