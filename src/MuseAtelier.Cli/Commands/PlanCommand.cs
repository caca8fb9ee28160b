using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Packages;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse plan</c>: what a budget of memory means, told from sizes alone. Needs no card and loads nothing.</summary>
internal static class PlanCommand
{
    private static readonly JsonSerializerOptions Members = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public static Command Create(Terminal terminal)
    {
        Option<int> width = Choice.Whole("--width", "Width in px.", 1024);
        Option<int> height = Choice.Whole("--height", "Height in px.", 1024);
        Option<int> steps = Choice.Whole("--steps", "Steps of the schedule.", 30);
        Option<int> count = Choice.Whole("--count", "Pictures of one prompt.", 1, least: 1);
        Option<int> batch = Choice.Whole("--batch", $"How many of them are denoised together, 1 to {BatchSlot.LargestBatch}; 0 means as many as are fastest within the budget.", 0, least: 0, most: BatchSlot.LargestBatch);
        Option<string?> model = AtelierChoices.Model();
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("plan", "Shows what a budget of memory means: what stays, what is streamed, how pictures are decoded, and what that costs. Plans for an NVIDIA card, or with --ram for the processor; needs neither and loads nothing.")
        {
            width, height, steps, count, batch, model, json,
        };
        var budget = new BudgetChoices(command);
        budget.AllowOneBudget(command);
        var frame = new FrameChoice(command);
        command.SetAction((result, _) =>
        {
            long? memory = budget.Memory(result);
            (Lowering lowering, DeviceProfile device) = memory is null ? (Lowering.Cuda, DeviceProfile.Hopper) : (Lowering.Portable, DeviceProfile.Processor);
            var request = new ResidencyRequest
            {
                Budget = memory ?? budget.VideoMemory(result) ?? ResidencyRequest.DefaultBudget,
                Width = result.GetValue(width),
                Height = result.GetValue(height),
                Steps = result.GetValue(steps),
                Count = result.GetValue(count),
                BatchSize = result.GetValue(batch) is > 0 and var together ? Math.Min(together, result.GetValue(count)) : null,
                Offload = budget.Offload(result),
                Frame = frame.Read(result),
            };
            ResidencyPlan plan = ResidencyPlanner.Plan(ModelSizes.Read(result.GetValue(model) ?? DefaultModel.Find(), lowering), request, device);
            if (result.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(plan, Members));
            else Show(plan, device, terminal);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Show(ResidencyPlan plan, DeviceProfile device, Terminal terminal)
    {
        ResidencyRequest request = plan.Request;
        terminal.Out.WriteLine(Line($"{request.Width}x{request.Height} px, {request.Steps} steps{(request.Count > 1 ? Line($", {request.Count} pictures, {plan.BatchSize} at a time") : "")}, {device.Name}: {ByteSize.Format(plan.PeakBytes)} of {ByteSize.Format(request.Budget)}"));

        var memory = new Table().Border(TableBorder.Simple).AddColumn("memory");
        foreach (PhasePlan phase in plan.Phases) memory.AddColumn(new TableColumn(phase.Phase.ToString().ToLowerInvariant()).RightAligned());
        foreach (string share in plan.Phases.SelectMany(phase => phase.Shares).Select(share => share.Name).Distinct())
            memory.AddRow([share, .. plan.Phases.Select(phase => phase.Shares.Where(entry => entry.Name == share).Sum(entry => entry.Bytes)).Select(bytes => bytes == 0 ? "" : ByteSize.Format(bytes))]);
        memory.AddRow(["sum", .. plan.Phases.Select(phase => ByteSize.Format(phase.Bytes))]);
        terminal.OutConsole.Write(memory);

        PlanEstimate estimate = plan.Estimate;
        var time = new Table().Border(TableBorder.Simple).AddColumn("estimate").AddColumn(new TableColumn("seconds").RightAligned());
        foreach ((string name, double seconds) in ((string, double)[])[("text", estimate.Text), ("conditioning", estimate.Conditioning), ("loading", estimate.Loading), ("step", estimate.Step), ("decoding", estimate.Decoding), ("picture", estimate.Picture)])
            time.AddRow(name, Line($"{seconds:0.000}"));
        terminal.OutConsole.Write(time);
        foreach (string sentence in plan.Explanation) terminal.Out.WriteLine(sentence);
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
