using System.Globalization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Collects the settings of a text of any program. Records in words which settings cannot be painted here, and which ones the text does
/// not state.
/// </summary>
/// <param name="program">The program that wrote the text.</param>
internal sealed class RequestDraft(string program)
{
    /// <summary>The most settings that are named individually, because hostile texts can have any number.</summary>
    private const int MostNotTaken = 40;

    private const int LongestValue = 200;

    private readonly List<string> _notTaken = [];
    private readonly List<string> _notices = [];
    private int _further;

    public string? Prompt { get; set; }

    public string? Negative { get; set; }

    public int? Steps { get; set; }

    public float? Guidance { get; set; }

    public ulong? Seed { get; set; }

    public int? Width { get; set; }

    public int? Height { get; set; }

    public bool HasSampler { get; set; }

    public SamplerName Sampler { get; set; }

    /// <summary>The spacing of the timesteps. These programs space them linearly for Euler a by default.</summary>
    public TimestepSpacing Spacing { get; set; } = TimestepSpacing.Linspace;

    public bool Karras { get; set; }

    public NoiseSource Noise { get; set; }

    public EmptyNegative EmptyNegative { get; set; }

    /// <summary>The syntax of the prompts. Only texts of this project name it; other programs' prompts are read as plain text.</summary>
    public PromptSyntax PromptSyntax { get; set; } = MuseAtelier.PromptSyntax.Plain;

    public MicroConditioning? Conditioning { get; set; }

    public PictureFrame? Frame { get; set; }

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

    /// <summary>Records a notice for the user.</summary>
    public void Notice(string words) => _notices.Add(words);

    /// <summary>Takes a sampler by any program's name. Some programs write the schedule after it.</summary>
    public void TakeSampler(string name, string value)
    {
        HasSampler = true;
        (string sampler, string schedule) = SamplerNames.Split(value);
        if (SamplerNames.Find(sampler) is { } known) Sampler = known;
        else Skip($"{name}: {Shorten(value)} (painted with Euler a)");
        if (program != Programs.MuseAtelier && SamplerNames.UsesBrownianTree(Sampler))
            Notice($"{name} '{Shorten(value)}' adds other noise here than in {program}, so the picture will differ.");
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
            case "automatic" or "uniform" or "discrete" or "default" or "":
                break;
            default:
                if (ScheduleNames.Find(folded) is { } spacing) TakeSpacing(name, value, spacing);
                else Skip(name, value);
                break;
        }
    }

    private void TakeSpacing(string name, string value, TimestepSpacing spacing)
    {
        Spacing = spacing;
        bool isComfys = program is Programs.MuseAtelier or Programs.ComfyUi or Programs.SwarmUi or Programs.Fooocus;
        if (ScheduleNames.DiffersByProgram(spacing) && !isComfys)
            Notice($"{name} '{Shorten(value)}' is painted with ComfyUI's schedule of this name, which may differ from {program}'s.");
    }

    /// <summary>
    /// Takes the clip skip. SDXL is trained with the penultimate layer, which programs call 2. With SDXL, 1 means the same.
    /// </summary>
    public void TakeClipSkip(string name, string value)
    {
        bool isUsual = int.TryParse(value.TrimStart('-'), NumberStyles.None, CultureInfo.InvariantCulture, out int layers)
            && layers is 0 or 1 or 2;
        if (!isUsual) Skip($"{name}: {Shorten(value)} (painted with 2, SDXL's own)");
    }

    /// <summary>The collected settings.</summary>
    public ParsedParameters Finish()
    {
        var defaults = new PictureRequest { Prompt = "" };
        if (Prompt is null) Notice("The text names no prompt; an empty one is used.");
        if (Steps is null) Notice(Say($"The text names no number of steps; {defaults.Steps} are used."));
        if (Guidance is null) Notice(Say($"The text names no guidance scale; {defaults.GuidanceScale} is used."));
        if (!HasSampler) Notice("The text names no sampler; Euler a is used.");
        bool hasSize = Width is not null && Height is not null;
        string prompt = Prompt ?? "";
        string negative = Negative ?? "";
        var request = new PictureRequest
        {
            Prompt = prompt,
            NegativePrompt = negative,
            PromptSyntax = PromptSyntax,
            EmptyNegative = EmptyNegative,
            Seed = Seed ?? 0,
            NoiseSource = Noise,
            Width = hasSize ? Width!.Value : defaults.Width,
            Height = hasSize ? Height!.Value : defaults.Height,
            Sampler = Sampler,
            Steps = Steps ?? defaults.Steps,
            GuidanceScale = Guidance ?? defaults.GuidanceScale,
            Schedule = new NoiseSchedule { Spacing = Spacing, Karras = Karras },
            Conditioning = Conditioning,
            Frame = Frame,
        };
        if (_further > 0) _notTaken.Add(Say($"{_further} further settings"));
        string?[] both =
        [
            PromptSyntaxNotice.Of(prompt, "prompt", PromptSyntax),
            PromptSyntaxNotice.Of(negative, "negative prompt", PromptSyntax),
        ];
        string[] sentences = [.. both.OfType<string>()];
        string? syntax = sentences.Length == 0 ? null : string.Join(' ', sentences);
        if (syntax is not null) _notTaken.Add(syntax);
        return new ParsedParameters(request, ModelName, ModelHash, _notTaken)
        {
            Program = program,
            HasSeed = Seed is not null,
            HasSize = hasSize,
            Notices = _notices,
            PromptSyntax = syntax,
        };
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Shorten(string text) => text.Length <= LongestValue ? text : string.Concat(text.AsSpan(0, LongestValue), "…");
}
