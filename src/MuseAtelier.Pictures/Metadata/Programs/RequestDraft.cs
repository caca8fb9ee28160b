using System.Globalization;
using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Collects the settings of a text of any program. Records in words which settings cannot be painted here, and which ones the text does
/// not state. What is not set is as the program does it.
/// </summary>
internal sealed class RequestDraft
{
    /// <summary>The most settings that are named individually, because hostile texts can have any number.</summary>
    private const int MostNotTaken = 40;

    private const int LongestValue = 200;

    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    private readonly List<string> _notTaken = [];
    private readonly List<string> _notices = [];
    private readonly List<string> _ofLoras = [];
    private readonly List<string> _ofEmbeddings = [];
    private readonly ProgramHabits _habits;
    private bool _isTreeOnCard;
    private int _further;

    /// <summary>Begins a draft.</summary>
    /// <param name="program">The program that wrote the text.</param>
    public RequestDraft(string program)
    {
        Program = program;
        _habits = ProgramHabits.Of(program);
        Sampler = _habits.Sampler;
        Noise = _habits.Noise;
        EmptyNegative = _habits.EmptyNegative;
        PromptSyntax = _habits.Syntax;
        if (_habits.Notice is { } notice) Notice(notice);
    }

    /// <summary>The program that wrote the text.</summary>
    public string Program { get; }

    public string? Prompt { get; set; }

    public string? Negative { get; set; }

    public int? Steps { get; set; }

    public float? Guidance { get; set; }

    public float GuidanceRescale { get; set; }

    public float GuidanceFrom { get; set; }

    public float GuidanceTo { get; set; } = 1;

    public ulong? Seed { get; set; }

    public ulong VariationSeed { get; set; }

    public float VariationStrength { get; set; }

    public int? Width { get; set; }

    public int? Height { get; set; }

    public bool HasSampler { get; set; }

    public SamplerName Sampler { get; set; }

    public float? Eta { get; set; }

    /// <summary>The spacing of the timesteps; null if the text names none.</summary>
    public TimestepSpacing? Spacing { get; set; }

    public bool Karras { get; set; }

    public TimestepList? Timesteps { get; set; }

    /// <summary>The dialect; null means the program's.</summary>
    public SamplingDialect? Dialect { get; set; }

    public ModelPrediction Prediction { get; set; }

    public NoiseSource Noise { get; set; }

    public EmptyNegative EmptyNegative { get; set; }

    public PromptSyntax PromptSyntax { get; set; }

    public PromptEmphasis Emphasis { get; set; }

    public int CommaBacktrack { get; set; } = Defaults.CommaBacktrack;

    public int ClipSkip { get; set; } = Defaults.ClipSkip;

    public MicroConditioning? Conditioning { get; set; }

    public PictureFrame? Frame { get; set; }

    /// <summary>How the picture was painted from another one; null if the text says nothing of that.</summary>
    public ParsedSource? Source { get; set; }

    public HiresPass? Hires { get; set; }

    /// <summary>The LoRAs that the text names beside the prompt, in the order in which they are added.</summary>
    public List<ParsedLora> Loras { get; } = [];

    /// <summary>The first digits of the digests of LoRAs, by name.</summary>
    public Dictionary<string, string> LoraHashes { get; } = new(StringComparer.Ordinal);

    public string? ModelName { get; set; }

    public string? ModelHash { get; set; }

    /// <summary>Records a setting that is not used.</summary>
    public void Skip(string name, string value) => Skip($"{name}: {Shorten(value)}");

    /// <summary>Records in words what is not used.</summary>
    public void Skip(string words)
    {
        if (_notTaken.Count < MostNotTaken) _notTaken.Add(words);
        else _further++;
    }

    /// <summary>Records a setting that is used only if the picture that it refers to is given.</summary>
    public void SkipWithoutSource(string name, string value)
    {
        string words = $"{name}: {Shorten(value)}";
        Skip(words);
        Source = (Source ?? new ParsedSource()) with { NotTaken = [.. Source?.NotTaken ?? [], words] };
    }

    /// <summary>Records in words what is used only if folders of LoRAs are given.</summary>
    public void SkipWithoutLoras(string words)
    {
        Skip(words);
        if (_ofLoras.Count < MostNotTaken) _ofLoras.Add(words);
    }

    /// <summary>Records a setting that is used only if folders of LoRAs are given.</summary>
    public void SkipWithoutLoras(string name, string value) => SkipWithoutLoras($"{name}: {Shorten(value)}");

    /// <summary>Records a setting that is used only if folders of embeddings are given.</summary>
    public void SkipWithoutEmbeddings(string name, string value)
    {
        string words = $"{name}: {Shorten(value)}";
        Skip(words);
        if (_ofEmbeddings.Count < MostNotTaken) _ofEmbeddings.Add(words);
    }

    /// <summary>Records a notice for the user.</summary>
    public void Notice(string words) => _notices.Add(words);

    /// <summary>Takes a sampler by any program's name. Some programs write the schedule after it.</summary>
    public void TakeSampler(string name, string value)
    {
        HasSampler = true;
        (string sampler, string schedule) = SamplerNames.Split(value);
        if (SamplerNames.Find(sampler) is { } known)
        {
            Sampler = known;
        }
        else
        {
            Sampler = SamplerName.EulerAncestral;
            Skip($"{name}: {Shorten(value)} (painted with Euler a)");
        }

        _isTreeOnCard = sampler.EndsWith("gpu", StringComparison.OrdinalIgnoreCase);
        if (schedule.Length > 0) TakeSchedule(name, schedule);
    }

    /// <summary>Takes a schedule by any program's name.</summary>
    public void TakeSchedule(string name, string value)
    {
        string folded = SamplerNames.Fold(value);
        switch (folded)
        {
            case "karras":
                Karras = true;
                break;
            case "trailing":
                Spacing = TimestepSpacing.Trailing;
                break;
            // AUTOMATIC1111's choice for the sampler. Texts of this project write it for spacings that have another setting.
            case "automatic" when _habits.Dialect == SamplingDialect.A1111:
                Spacing = TimestepSpacing.Automatic;
                break;
            case "uniform" or "discrete":
                Spacing = TimestepSpacing.Normal;
                break;
            case "automatic" or "default" or "":
                break;
            default:
                if (ScheduleNames.Find(folded) is { } spacing) TakeSpacing(name, value, spacing);
                else Skip(name, value);
                break;
        }
    }

    /// <summary>Takes the clip skip. SDXL is trained with the penultimate layer, which programs call 2.</summary>
    public void TakeClipSkip(string name, string value)
    {
        bool isNumber = int.TryParse(value.TrimStart('-'), NumberStyles.None, CultureInfo.InvariantCulture, out int layers);
        if (isNumber && layers is >= 1 and <= ConditioningNames.MostClipSkip && _habits.ClipSkip == ClipSkipMeaning.Member)
        {
            ClipSkip = layers;
            return;
        }

        if (isNumber && layers is 0 or 2) return;
        if (isNumber && layers == 1 && _habits.ClipSkip != ClipSkipMeaning.Layer) return;
        if (isNumber && layers is > 2 and <= ConditioningNames.MostClipSkip && _habits.ClipSkip != ClipSkipMeaning.None) ClipSkip = layers;
        else if (isNumber && Program == Programs.Automatic1111) Skip($"{name}: {layers} (without effect on SDXL in {Program})");
        else Skip($"{name}: {Shorten(value)} (painted with 2, SDXL's own)");
    }

    /// <summary>Takes a number of a range, or names the setting.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">The number as a text.</param>
    /// <param name="most">The largest number; the smallest is 0.</param>
    /// <param name="take">Receives the number.</param>
    public void TakeNumber(string name, string value, float most, Action<float> take)
    {
        bool isNumber = float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
        if (isNumber && number >= 0 && number <= most) take(number);
        else Skip(name, value);
    }

    /// <summary>The collected settings.</summary>
    public ParsedParameters Finish()
    {
        NoticeWhatIsMissing();
        bool hasSize = Width is not null && Height is not null;
        TimestepSpacing spacing = SpacingOrUsual();
        SamplingDialect dialect = Dialect ?? UsualDialect(spacing);
        var request = new PictureRequest
        {
            Prompt = Prompt ?? "",
            NegativePrompt = Negative ?? "",
            PromptSyntax = PromptSyntax,
            Emphasis = Emphasis,
            CommaBacktrack = CommaBacktrack,
            ClipSkip = ClipSkip,
            EmptyNegative = EmptyNegative,
            Seed = Seed ?? 0,
            NoiseSource = NoiseOrTree(dialect),
            VariationSeed = VariationStrength == 0 ? 0 : VariationSeed,
            VariationStrength = VariationStrength,
            Width = hasSize ? Width!.Value : Defaults.Width,
            Height = hasSize ? Height!.Value : Defaults.Height,
            Sampler = Sampler,
            Steps = Steps ?? Defaults.Steps,
            Eta = Eta,
            Dialect = dialect,
            Prediction = Prediction,
            GuidanceScale = Guidance ?? Defaults.GuidanceScale,
            GuidanceRescale = GuidanceRescale,
            GuidanceFrom = GuidanceFrom,
            GuidanceTo = GuidanceTo,
            Schedule = new NoiseSchedule { Spacing = spacing, Karras = Karras, Timesteps = Timesteps },
            Conditioning = Conditioning,
            Frame = Frame,
            Hires = Hires,
        };
        if (_further > 0) _notTaken.Add(Say($"{_further} further settings"));
        string? syntax = SyntaxOf(request);
        if (syntax is not null) _notTaken.Add(syntax);
        return new ParsedParameters(request, ModelName, ModelHash, _notTaken)
        {
            Program = Program,
            HasSeed = Seed is not null,
            HasSize = hasSize,
            Notices = _notices,
            PromptSyntax = syntax,
            Source = Source,
            Loras = [.. Loras, .. TaggedIn(request)],
            NotTakenWithoutLoras = _ofLoras,
            NotTakenWithoutEmbeddings = _ofEmbeddings,
        };
    }

    private void TakeSpacing(string name, string value, TimestepSpacing spacing)
    {
        Spacing = spacing;
        if (ScheduleNames.DiffersByProgram(spacing) && !_habits.IsKnown)
            Notice($"{name} '{Shorten(value)}' is painted with diffusers' schedule of this name, which may differ from {Program}'s.");
    }

    // The noise of samplers that take it from a Brownian tree. Other programs draw it in another way, and some from another generator.
    private NoiseSource NoiseOrTree(SamplingDialect dialect)
    {
        if (Program == Programs.MuseAtelier || !SamplerNames.UsesBrownianTree(Sampler)) return Noise;
        if (dialect == SamplingDialect.Diffusers)
            Notice($"The sampler {Sampler.Id} adds other noise here than in {Program}, so the picture will differ.");
        return dialect switch
        {
            SamplingDialect.A1111 when Noise == NoiseSource.Diffusers => NoiseSource.A1111Cpu,
            SamplingDialect.Comfy when _isTreeOnCard => NoiseSource.ComfyGpu,
            _ => Noise,
        };
    }

    private void NoticeWhatIsMissing()
    {
        if (Prompt is null) Notice("The text names no prompt; an empty one is used.");
        if (Steps is null) Notice(Say($"The text names no number of steps; {Defaults.Steps} are used."));
        if (Guidance is null) Notice(Say($"The text names no guidance scale; {Defaults.GuidanceScale} is used."));
        string sampler = Sampling.SamplerCatalog.BuiltIn.DisplayName(Sampler);
        if (!HasSampler) Notice($"The text names no sampler; {sampler} is used.");
    }

    private TimestepSpacing SpacingOrUsual()
    {
        if (Spacing is { } named) return named;
        if (Karras) return TimestepSpacing.Linspace;
        string id = Sampler.Id.ToLowerInvariant();
        // AUTOMATIC1111 has timesteps of its own for DDIM and UniPC, and diffusers for the samplers of consistency models.
        bool isOfTimesteps = _habits.Dialect == SamplingDialect.A1111 && (id is "ddim" || id.StartsWith("uni", StringComparison.Ordinal));
        bool isOfConsistency = Program == Programs.InvokeAi && id is "lcm" or "tcd";
        return isOfTimesteps || isOfConsistency ? TimestepSpacing.Automatic : _habits.Spacing;
    }

    // Texts of this project that are older than dialects mean what records of that time mean.
    private SamplingDialect UsualDialect(TimestepSpacing spacing) =>
        Program == Programs.MuseAtelier ? RecordedRequest.UnnamedDialect(spacing) : _habits.Dialect;

    private IEnumerable<ParsedLora> TaggedIn(PictureRequest request) => request.PromptSyntax != PromptSyntax.A1111
        ? []
        : [.. TaggedIn(request.Prompt), .. TaggedIn(request.Hires?.Prompt ?? "").Select(lora => lora with { IsOfSecondPass = true })];

    private IEnumerable<ParsedLora> TaggedIn(string prompt) => LoraTags
        .NamesIn(PromptComments.Strip(prompt, PromptSyntax.A1111))
        .Select(name => new ParsedLora(name) { IsInPrompt = true, Hash = LoraHashes.GetValueOrDefault(A1111Adapters.Plain(name)) });

    /// <summary>A sentence that names the syntax in the prompts that is not read; null if there is none.</summary>
    public static string? SyntaxOf(PictureRequest request)
    {
        string?[] both =
        [
            PromptSyntaxNotice.Of(LoraTags.TextOf(request), "prompt", request.PromptSyntax, readsEmbeddings: false),
            PromptSyntaxNotice.Of(request.NegativePrompt, "negative prompt", request.PromptSyntax),
        ];
        string[] sentences = [.. both.OfType<string>()];
        return sentences.Length == 0 ? null : string.Join(' ', sentences);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Shorten(string text) => text.Length <= LongestValue ? text : string.Concat(text.AsSpan(0, LongestValue), "…");
}
