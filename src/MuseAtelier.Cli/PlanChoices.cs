using System.CommandLine;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Cli;

/// <summary>The options that say which pictures to plan for.</summary>
internal sealed class PlanChoices
{
    private readonly Option<int> _width = Choice.Whole("--width", "Width in px.", 1024);
    private readonly Option<int> _height = Choice.Whole("--height", "Height in px.", 1024);
    private readonly Option<int> _steps = Choice.Whole("--steps", "Denoising steps.", 30);
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

    private readonly Option<float> _from = Choice.Number(
        "--guidance-from", "The share of the steps, 0 to 1, after which guidance begins.", 0);

    private readonly Option<float> _to = Choice.Number("--guidance-to", "The share of the steps, 0 to 1, after which guidance ends.", 1);

    private readonly Option<int> _chunks = Choice.Whole(
        "--prompt-chunks", "Chunks of 75 tokens that the longer of both prompts takes, 1 to 64.", 1, least: 1, most: 64);

    private readonly Option<int> _parts = Choice.Whole(
        "--prompt-parts", "Parts of the prompt between the words AND, 1 to 15.", 1, least: 1, most: 15);

    private readonly Option<int> _sets = Choice.Whole(
        "--prompt-sets", "Different prompts that the steps use, as of [a:b:0.5] or [a|b], 1 to 64.", 1, least: 1, most: 64);

    /// <summary>Adds the options to a command.</summary>
    public PlanChoices(Command command)
    {
        Option[] options =
        [
            _width, _height, _steps, _count, _batch, _sampler, _guidance, _from, _to, _chunks, _parts, _sets,
        ];
        foreach (Option option in options) command.Add(option);
    }

    /// <summary>The steps in words, and the evaluations of the denoiser if there are more of them.</summary>
    public string StepsOf(ParseResult result, ResidencyRequest request)
    {
        int steps = result.GetValue(_steps);
        return request.Steps == steps ? Invariant($"{steps} steps") : Invariant($"{steps} steps of {request.Steps} evaluations in all");
    }

    /// <summary>The pictures that the command line describes.</summary>
    /// <exception cref="PictureRequestException">A number is out of range.</exception>
    public ResidencyRequest Read(ParseResult result, BudgetChoices budget)
    {
        var picture = new PictureRequest
        {
            Prompt = "",
            Width = result.GetValue(_width),
            Height = result.GetValue(_height),
            Steps = result.GetValue(_steps),
            Sampler = Choice.Given(result, _sampler, SamplerCatalog.BuiltIn.Names[0]),
            GuidanceScale = result.GetValue(_guidance),
            GuidanceFrom = result.GetValue(_from),
            GuidanceTo = result.GetValue(_to),
        };
        RequestRules.Check(picture);
        int evaluations = SamplerCatalog.BuiltIn.EvaluationsOf(picture)!.Value;
        int alone = SamplerCatalog.BuiltIn.EvaluationsOfThePromptAlone(picture)!.Value;
        int count = result.GetValue(_count);
        var request = new ResidencyRequest
        {
            Budget = budget.Memory(result) ?? budget.VideoMemory(result) ?? ResidencyRequest.DefaultBudget,
            Width = picture.Width,
            Height = picture.Height,
            Steps = evaluations,
            Count = count,
            Guided = alone < evaluations,
            UnguidedSteps = alone < evaluations ? alone : 0,
            PromptChunks = result.GetValue(_chunks),
            PromptParts = result.GetValue(_parts),
            PromptSets = result.GetValue(_sets),
            Offload = budget.Offload(result),
        };
        return request with { BatchSize = result.GetValue(_batch) is > 0 and var batch ? Math.Min(batch, request.LargestBatch) : null };
    }
}
