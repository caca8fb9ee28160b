using System.CommandLine;
using System.CommandLine.Parsing;
using MuseAtelier.Export.Loras;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options of a second pass at a higher resolution.</summary>
internal sealed class HiresChoices
{
    private const string None = "none";

    private static readonly HiresPass Usual = new();
    private static readonly string[] BuiltIn = [.. HiresUpscaler.BuiltIn.Select(upscaler => upscaler.Id)];

    private readonly Option<float> _scale = Choice.Number(
        "--hires",
        "Hires fix: paints the picture again, so many times as wide and as high, above 1 and up to 8; 1 means one pass. [default: one "
            + "pass]",
        null);
    private readonly Option<float> _strength = Choice.Number(
        "--hires-strength", "How much the second pass paints anew, above 0 and up to 1.", Usual.Strength);
    private readonly Option<int> _steps = Choice.Whole(
        "--hires-steps", "Steps of the second pass; 0 means as many as the first one.", 0, least: 0, most: 1000);
    private readonly Option<HiresUpscaler?> _upscaler = new("--hires-upscaler")
    {
        Description = $"How the picture is enlarged between the passes: {string.Join(", ", BuiltIn)}, or the file of an upscaler's model "
            + $"(.safetensors, .pth). [default: {Usual.Upscaler.Id}]",
        HelpName = "NAME|FILE",
        CustomParser = ParseUpscaler,
    };
    private readonly Option<string?> _prompt = Text("--hires-prompt", "The prompt of the second pass. [default: the picture's]");
    private readonly Option<string?> _negative = Text(
        "--hires-negative", "What the second pass should not show. [default: as the first one]");
    private readonly Option<SamplerName> _sampler = Choice.Sampler("--hires-sampler", "The sampler of the second pass");
    private readonly Option<float> _guidance = Choice.Number(
        "--hires-guidance", "Guidance scale of the second pass, 0 or 1 to 100. [default: the picture's]", null);

    private readonly Option<LoraArgument[]> _loras = LoraChoices.Files(
        "--hires-lora",
        "A LoRA of the second pass, in the place of those of --lora, with strengths as there; may be given several times; none means no "
            + "LoRA. [default: those of --lora]",
        None);

    public HiresChoices()
    {
        _sampler.Description = "The sampler of the second pass, by the names of --sampler. [default: the picture's]";
    }

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isRecorded">Whether the options may also refer to the second pass of a record.</param>
    public void AddTo(Command command, bool isRecorded)
    {
        Option[] others = [_strength, _steps, _upscaler, _prompt, _negative, _sampler, _guidance, _loras];
        foreach (Option option in (Option[])[_scale, .. others]) command.Add(option);
        if (!isRecorded) command.Validators.Add(result => Choice.Require(result, _scale, others));
    }

    /// <summary>The path of the upscaler's model that the command line names; null if it names none.</summary>
    public string? UpscalerPath(ParseResult result) => result.GetValue(_upscaler)?.Path;

    /// <summary>The paths of the LoRAs that the command line names.</summary>
    public IReadOnlyList<string> LoraPaths(ParseResult result) => [.. Given(result).Select(lora => lora.Path)];

    /// <summary>A second pass with the changes that the command line names; null means none.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that is not given; null means no second pass.</param>
    public HiresPass? Read(ParseResult result, HiresPass? basis)
    {
        bool isGiven = Choice.IsGiven(result, _scale);
        if (isGiven && result.GetValue(_scale) == 1) return null;
        if (!isGiven && basis is null) return null;
        HiresPass pass = basis ?? Usual;
        // The tags of another prompt name LoRAs of their own.
        if (Choice.IsGiven(result, _prompt))
            pass = pass with { Loras = pass.Loras?.Where(lora => !lora.IsFromPrompt).ToList(), HasFinalLoras = false };
        return pass with
        {
            Scale = Choice.Given(result, _scale, pass.Scale),
            Strength = Choice.Given(result, _strength, pass.Strength),
            Steps = Choice.IsGiven(result, _steps) ? StepsOf(result.GetValue(_steps)) : pass.Steps,
            Upscaler = ReadUpscaler(result, pass.Upscaler),
            Prompt = Choice.Given(result, _prompt, pass.Prompt),
            NegativePrompt = Choice.Given(result, _negative, pass.NegativePrompt),
            Sampler = Choice.IsGiven(result, _sampler) ? result.GetValue(_sampler) : pass.Sampler,
            GuidanceScale = Choice.IsGiven(result, _guidance) ? result.GetValue(_guidance) : pass.GuidanceScale,
        };
    }

    /// <summary>
    /// A request with the LoRAs that the command line names for its second pass. Those of tags of a prompt stay. A file that is one of a
    /// record keeps its strengths if the command line has none.
    /// </summary>
    /// <param name="result">The command line.</param>
    /// <param name="request">The request, with a second pass or without.</param>
    public PictureRequest ReadLoras(ParseResult result, PictureRequest request)
    {
        if (request.Hires is not { } pass || !Choice.IsGiven(result, _loras)) return request;
        PictureLora[] ofPrompt = [.. HiresRules.SecondPassOf(request).Loras.Where(lora => lora.IsFromPrompt)];
        List<PictureLora> loras = [];
        foreach (LoraArgument lora in Given(result))
        {
            bool isNamed = lora.Strength is null;
            if (isNamed && ofPrompt.Any(known => known.Path == lora.Path)) continue;
            PictureLora? own = isNamed ? pass.Loras?.FirstOrDefault(known => known.Path == lora.Path) : null;
            loras.Add(own ?? LoraChoices.ToLora(lora));
        }

        return request with { Hires = pass with { Loras = [.. loras, .. ofPrompt] } };
    }

    private LoraArgument[] Given(ParseResult result) => result.GetValue(_loras) ?? [];

    // The file of a recorded model must be that model's, so its digest is kept to be compared.
    private HiresUpscaler ReadUpscaler(ParseResult result, HiresUpscaler basis)
    {
        HiresUpscaler given = Choice.Given(result, _upscaler, basis)!;
        return given.Path is not null && basis.Sha256 is not null ? basis : given;
    }

    private static int? StepsOf(int steps) => steps == 0 ? null : steps;

    private static Option<string?> Text(string name, string description) => new(name) { Description = description, HelpName = "PROMPT" };

    // A word that is neither a name nor a file is a misspelt name.
    private static HiresUpscaler? ParseUpscaler(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        HiresUpscaler? known = HiresUpscaler.BuiltIn.FirstOrDefault(known => known.Id.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (known is not null) return known;
        try
        {
            string path = UserPath.Expand("--hires-upscaler", text);
            if (path.Length > 0 && (Path.HasExtension(path) || File.Exists(path))) return HiresUpscaler.Model(path);
            string expected = $"the file of an upscaler's model (.safetensors, .pth), or one of {Choice.Names(text, BuiltIn)}";
            result.AddError(Choice.Refusal("--hires-upscaler", text, expected));
        }
        catch (UserPathException exception)
        {
            result.AddError(exception.Message);
        }

        return null;
    }
}
