using System.CommandLine;
using MuseAtelier.Conditioning;
using MuseAtelier.Pictures;
using MuseAtelier.Pipeline;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that say which pictures to plan for.</summary>
internal sealed class PlanChoices
{
    private static readonly PictureSource UsualSource = new(new SourceImage(1, 1, new byte[3]));

    private readonly Option<int> _width = Choice.Whole("--width", "Width in px, a multiple of 8 from 256 to 4096.", 1024);
    private readonly Option<int> _height = Choice.Whole("--height", "Height in px, with the same limits.", 1024);
    private readonly Option<int> _steps = Choice.Whole("--steps", "Denoising steps, 1 to 1000.", 30);
    private readonly Option<int> _count = Choice.Whole("--count", "Number of pictures of one prompt.", 1, least: 1);
    private readonly Option<int> _batch = Choice.Whole(
        "--batch",
        $"Batch size: how many pictures are denoised together, 1 to {BatchSlot.LargestBatch}; "
            + "0 means the fastest size within the budget.",
        0,
        least: 0,
        most: BatchSlot.LargestBatch);

    private readonly Option<SamplerName> _sampler = Choice.Sampler(
        "--sampler", "The sampler, because some evaluate the denoiser twice in a step");

    private readonly Option<float> _guidance = Choice.Number(
        "--guidance", "Guidance scale, 0 or 1 to 100. With 0 and 1 a step has one row for a picture instead of two.", 7);

    private readonly Option<float> _guidanceFrom = Choice.Number(
        "--guidance-from", "The share of the steps, 0 to 1, after which guidance begins.", 0);

    private readonly Option<float> _guidanceTo = Choice.Number(
        "--guidance-to", "The share of the steps, 0 to 1, after which guidance ends.", 1);

    private readonly Option<int> _chunks = Choice.Whole(
        "--prompt-chunks",
        $"Chunks of 75 tokens that the longer of both prompts takes, 1 to {ChunkWriter.MostChunks}.",
        1,
        least: 1,
        most: ChunkWriter.MostChunks);

    private readonly Option<int> _parts = Choice.Whole(
        "--prompt-parts",
        $"Parts of the prompt between the words AND, 1 to {PromptPart.MostParts}.",
        1,
        least: 1,
        most: PromptPart.MostParts);

    private readonly Option<int> _sets = Choice.Whole(
        "--prompt-sets",
        $"Different prompts that the steps use, as of [a:b:0.5] or [a|b], 1 to {PromptTimeline.MostTexts}.",
        1,
        least: 1,
        most: PromptTimeline.MostTexts);

    private readonly Option<string?> _from = UserPath.Option("--from");
    private readonly Option<float> _strength = Choice.Number(
        "--strength", "How much of the source is painted anew, 0 to 1, which decides how many steps run.", UsualSource.Strength);
    private readonly HiresChoices _hires = new();
    private readonly LoraChoices _loras = new();

    /// <summary>Adds the options to a command.</summary>
    public PlanChoices(Command command)
    {
        _width.Aliases.Add("-W");
        _height.Aliases.Add("-H");
        _guidance.Aliases.Add("-g");
        _from.Description = "The picture that is painted from. Its size alone is read.";
        _from.HelpName = "FILE";
        Option[] options =
        [
            _width, _height, _steps, _count, _batch, _sampler, _guidance, _guidanceFrom, _guidanceTo, _chunks, _parts, _sets, _from,
            _strength,
        ];
        foreach (Option option in options) command.Add(option);
        _loras.AddTo(command, hasPrompt: false);
        _hires.AddTo(command, isRecorded: false);
        command.Validators.Add(result => Choice.Require(result, _from, [_strength]));
    }

    /// <summary>The steps in words, and the evaluations of the denoiser if there are more of them.</summary>
    public string StepsOf(ParseResult result, ResidencyRequest request)
    {
        int steps = result.GetValue(_steps);
        return request.Steps == steps ? Invariant($"{steps} steps") : Invariant($"{steps} steps of {request.Steps} evaluations in all");
    }

    /// <summary>The pictures that the command line describes.</summary>
    /// <exception cref="PictureRequestException">A number is out of range.</exception>
    /// <exception cref="PictureFileException">The source cannot be read.</exception>
    public ResidencyRequest Read(ParseResult result, BudgetChoices budget)
    {
        PictureRequest picture = ReadPicture(result);
        RequestRules.Check(picture);
        var request = new ResidencyRequest
        {
            Budget = budget.Memory(result) ?? budget.VideoMemory(result) ?? ResidencyRequest.DefaultBudget,
            Count = result.GetValue(_count),
            PromptChunks = result.GetValue(_chunks),
            PromptParts = result.GetValue(_parts),
            PromptSets = result.GetValue(_sets),
            Offload = budget.Offload(result),
        };
        ResidencyRequest first = Of(request, HiresRules.FirstPassOf(picture), null) with { EncodesSource = picture.Source is not null };
        if (picture.Hires is { } pass)
        {
            bool isOfLatents = HiresSeries.KernelOf(pass.Upscaler) is not null;
            ResidencyRequest second = Of(request, HiresRules.SecondPassOf(picture), HiresRules.SpanOf(picture));
            first = first with { SecondPass = second with { EncodesSource = !isOfLatents } };
        }

        return first with { BatchSize = result.GetValue(_batch) is > 0 and var batch ? Math.Min(batch, first.LargestBatch) : null };
    }

    /// <summary>The LoRAs of each pass.</summary>
    public (IReadOnlyList<PictureLora> First, IReadOnlyList<PictureLora> Second) LorasOf(ParseResult result)
    {
        PictureRequest request = _loras.Read(result, new PictureRequest { Prompt = "", Hires = _hires.Read(result, null) });
        request = _hires.ReadLoras(result, request);
        return (request.Loras, request.Hires?.Loras ?? request.Loras);
    }

    private PictureRequest ReadPicture(ParseResult result)
    {
        (int width, int height) = (result.GetValue(_width), result.GetValue(_height));
        string? path = result.GetValue(_from);
        if (path is not null && !Choice.IsGiven(result, _width) && !Choice.IsGiven(result, _height))
        {
            PictureFileContent source = PictureFile.Read(path);
            // EXIF's orientations from 5 on turn the picture on its side.
            (int across, int down) = source.Orientation > 4 ? (source.Height, source.Width) : (source.Width, source.Height);
            (width, height, _) = SourceSize.Of(path, across, down);
        }

        return new PictureRequest
        {
            Prompt = "",
            Width = width,
            Height = height,
            Steps = result.GetValue(_steps),
            Sampler = Choice.Given(result, _sampler, SamplerCatalog.BuiltIn.Names[0]),
            GuidanceScale = result.GetValue(_guidance),
            GuidanceFrom = result.GetValue(_guidanceFrom),
            GuidanceTo = result.GetValue(_guidanceTo),
            Source = path is null ? null : UsualSource with { Strength = result.GetValue(_strength) },
            Hires = _hires.Read(result, null),
        };
    }

    private static ResidencyRequest Of(ResidencyRequest request, PictureRequest pass, StepSpan? span)
    {
        int evaluations = SamplerCatalog.BuiltIn.EvaluationsOf(pass, span)!.Value;
        int alone = SamplerCatalog.BuiltIn.EvaluationsOfThePromptAlone(pass, span)!.Value;
        bool isGuided = alone < evaluations || (evaluations == 0 && pass.IsGuided);
        return request with
        {
            Width = pass.Width,
            Height = pass.Height,
            Steps = evaluations,
            Guided = isGuided,
            UnguidedSteps = alone < evaluations ? alone : 0,
        };
    }
}
