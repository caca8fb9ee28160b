using System.Globalization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// What a text asks for, setting by setting as it is read, whichever program wrote it. What cannot be painted here is written down in
/// words, and so is what the text leaves open.
/// </summary>
/// <param name="program">The program that wrote the text.</param>
internal sealed class RequestDraft(string program)
{
    /// <summary>The most settings that are named one by one; hostile texts have any number.</summary>
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

    /// <summary>Evenly from 0 to 999 is what these programs have for Euler a unless they say otherwise.</summary>
    public TimestepSpacing Spacing { get; set; } = TimestepSpacing.Linspace;

    public bool Karras { get; set; }

    public NoiseSource Noise { get; set; }

    public EmptyNegative EmptyNegative { get; set; }

    public MicroConditioning? Conditioning { get; set; }

    public PictureFrame? Frame { get; set; }

    public string? ModelName { get; set; }

    public string? ModelHash { get; set; }

    /// <summary>Writes down a setting that is not taken over.</summary>
    public void Skip(string name, string value) => Skip($"{name}: {Shorten(value)}");

    /// <summary>Writes down, in words of one's own, what is not taken over.</summary>
    public void Skip(string words)
    {
        if (_notTaken.Count < MostNotTaken) _notTaken.Add(words);
        else _further++;
    }

    /// <summary>Writes down what a user should know beside.</summary>
    public void Notice(string words) => _notices.Add(words);

    /// <summary>Takes a sampler by the name that any program gives it. Some write the schedule behind it.</summary>
    public void TakeSampler(string name, string value)
    {
        HasSampler = true;
        (string sampler, string schedule) = SamplerNames.Split(value);
        if (!SamplerNames.IsEulerAncestral(sampler)) Skip($"{name}: {Shorten(value)} (Euler a is what paints here)");
        if (schedule.Length > 0) TakeSchedule(name, schedule);
    }

    /// <summary>Takes a schedule by the name that any program gives it.</summary>
    public void TakeSchedule(string name, string value)
    {
        switch (SamplerNames.Fold(value))
        {
            case "karras":
                Karras = true;
                break;
            case "trailing":
                Spacing = TimestepSpacing.Trailing;
                break;
            case "simple" or "sgmuniform":
                Spacing = TimestepSpacing.Trailing;
                Notice($"{name} '{Shorten(value)}' is painted with trailing timesteps, which are within one of its own.");
                break;
            case "automatic" or "normal" or "uniform" or "discrete" or "default" or "":
                break;
            default:
                Skip(name, value);
                break;
        }
    }

    /// <summary>
    /// Takes the number of CLIP's layers that are left out. SDXL is trained with the last but one, which programs call 2, and 1 gives the
    /// same.
    /// </summary>
    public void TakeClipSkip(string name, string value)
    {
        bool isUsual = int.TryParse(value.TrimStart('-'), NumberStyles.None, CultureInfo.InvariantCulture, out int layers)
            && layers is 0 or 1 or 2;
        if (!isUsual) Skip($"{name}: {Shorten(value)} (SDXL's own, 2, is what paints here)");
    }

    /// <summary>What was asked for.</summary>
    public ParsedParameters Finish()
    {
        var defaults = new PictureRequest { Prompt = "" };
        if (Prompt is null) Notice("The text names no prompt; an empty one stands for it.");
        if (Steps is null) Notice(Say($"The text names no number of steps; {defaults.Steps} stand for it."));
        if (Guidance is null) Notice(Say($"The text names no guidance scale; {defaults.GuidanceScale} stands for it."));
        if (!HasSampler) Notice("The text names no sampler; Euler a is what paints here.");
        bool hasSize = Width is not null && Height is not null;
        string prompt = Prompt ?? "", negative = Negative ?? "";
        var request = new PictureRequest
        {
            Prompt = prompt,
            NegativePrompt = negative,
            EmptyNegative = EmptyNegative,
            Seed = Seed ?? 0,
            NoiseSource = Noise,
            Width = hasSize ? Width!.Value : defaults.Width,
            Height = hasSize ? Height!.Value : defaults.Height,
            Steps = Steps ?? defaults.Steps,
            GuidanceScale = Guidance ?? defaults.GuidanceScale,
            Schedule = new NoiseSchedule { Spacing = Spacing, Karras = Karras },
            Conditioning = Conditioning,
            Frame = Frame,
        };
        if (_further > 0) _notTaken.Add(Say($"{_further} further settings"));
        string?[] both = [PromptSyntaxNotice.Of(prompt), PromptSyntaxNotice.Of(negative, "negative prompt")];
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
