using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Format;
using MuseAtelier.Pipeline;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary>
/// <c>muse plan</c>: shows the plan that a memory budget leads to. It plans from sizes alone, needs no card and loads nothing.
/// </summary>
internal static class PlanCommand
{
    private static readonly JsonSerializerOptions Members =
        new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public static Command Create(Terminal terminal)
    {
        Option<string?> model = AtelierChoices.Model(), vae = AtelierChoices.Vae();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "plan",
            "Shows what a memory budget means. Says which weights stay, which are streamed, how pictures are decoded, and what that costs. "
                + "Plans for an NVIDIA card or, with --ram, for the processor; needs neither and loads nothing.");
        var choices = new PlanChoices(command);
        command.Add(model);
        command.Add(vae);
        command.Add(json);
        var budget = new BudgetChoices(command);
        budget.AllowOneBudget(command);
        var frame = new FrameChoice(command);
        command.SetAction((result, _) =>
        {
            bool isOnProcessor = budget.Memory(result) is not null;
            Lowering lowering = isOnProcessor ? Lowering.Portable : Lowering.Cuda;
            DeviceProfile device = isOnProcessor ? DeviceProfile.Processor : DeviceProfile.Hopper;
            ResidencyRequest request = choices.Read(result, budget) with { Frame = frame.Read(result) };
            ModelSizes sizes = ModelSizes.Read(result.GetValue(model) ?? DefaultModel.Find(), lowering);
            if (result.GetValue(vae) is { } file) sizes = sizes.WithVae(file);
            request = WithLoras(request, sizes, choices.LorasOf(result));
            ResidencyPlan plan = ResidencyPlanner.Plan(sizes, request, device);
            if (result.GetValue(json)) terminal.Out.WriteLine(JsonOf(plan));
            else Show(plan, choices.StepsOf(result, request), device, terminal);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static ResidencyRequest WithLoras(
        ResidencyRequest request, ModelSizes sizes, (IReadOnlyList<PictureLora> First, IReadOnlyList<PictureLora> Second) loras)
    {
        ResidencyRequest? later = request.SecondPass is { } second ? With(second, loras.Second) : null;
        return With(request, loras.First) with { SecondPass = later };

        ResidencyRequest With(ResidencyRequest pass, IReadOnlyList<PictureLora> own) =>
            pass with { HasLoras = own.Count > 0, MergedBytes = LoraSwitch.Check(sizes.Manifest, own) };
    }

    // The planner's input is no public part of a plan.
    private static string JsonOf(ResidencyPlan plan)
    {
        JsonObject json = JsonSerializer.SerializeToNode(plan, Members)!.AsObject();
        json.Insert(0, "request", JsonSerializer.SerializeToNode(plan.Request, Members));
        return json.ToJsonString(Members);
    }

    private static void Show(ResidencyPlan plan, string steps, DeviceProfile device, Terminal terminal)
    {
        ResidencyRequest request = plan.Request;
        string pictures = request.Count > 1 ? Invariant($", {request.Count} pictures, {plan.BatchSize} at a time") : "";
        string memory = $"{ByteSize.Format(plan.PeakBytes)} of {ByteSize.Format(request.Budget)}";
        terminal.Out.WriteLine(
            Invariant($"{request.Width}x{request.Height} px, {steps}{pictures}, {device.Name}: {memory}"));
        Show(plan, terminal);
        if (plan.SecondPass is not { } second) return;
        ResidencyRequest larger = second.Request;
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(Invariant($"Second pass, {larger.Width}x{larger.Height} px, {larger.Steps} steps:"));
        Show(second, terminal);
        terminal.Out.WriteLine(
            Invariant($"Both passes together take about {plan.Estimate.Picture:0.00} s, without the upscaler."));
    }

    private static void Show(ResidencyPlan plan, Terminal terminal)
    {
        terminal.OutConsole.Write(MemoryTable(plan));
        terminal.OutConsole.Write(TimeTable(plan));
        foreach (string sentence in plan.Explanation) terminal.Out.WriteLine(sentence);
    }

    private static Table MemoryTable(ResidencyPlan plan)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("memory");
        foreach (PhasePlan phase in plan.Phases)
            table.AddColumn(new TableColumn(phase.Phase.ToString().ToLowerInvariant()).RightAligned());
        foreach (string share in plan.Phases.SelectMany(phase => phase.Shares).Select(share => share.Name).Distinct())
            table.AddRow([share, .. plan.Phases.Select(phase => Amount(phase, share))]);
        table.AddRow(["sum", .. plan.Phases.Select(phase => ByteSize.Format(phase.Bytes))]);
        return table;
    }

    private static string Amount(PhasePlan phase, string share)
    {
        long bytes = phase.Shares.Where(entry => entry.Name == share).Sum(entry => entry.Bytes);
        return bytes == 0 ? "" : ByteSize.Format(bytes);
    }

    private static Table TimeTable(ResidencyPlan plan)
    {
        PlanEstimate estimate = plan.Estimate;
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("estimate").AddColumn(new TableColumn("seconds").RightAligned());
        Row("text", estimate.Text);
        Row("conditioning", estimate.Conditioning);
        if (estimate.Encoding > 0) Row("encoding", estimate.Encoding);
        Row("loading", estimate.Loading);
        Row("step", estimate.Step);
        if (estimate.UnguidedStep > 0) Row("step without guidance", estimate.UnguidedStep);
        if (estimate.Decoding > 0) Row("decoding", estimate.Decoding);
        Row("picture", estimate.Picture - (plan.SecondPass?.Estimate.Picture ?? 0));
        return table;

        void Row(string name, double seconds) => table.AddRow(name, Invariant($"{seconds:0.000}"));
    }
}
