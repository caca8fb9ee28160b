using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MuseAtelier.Packages;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse plan</c>: what a budget of memory means, told from sizes alone. Needs no card and loads nothing.</summary>
internal static class PlanCommand
{
    private const int PlainWidth = 160;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The command.</summary>
    /// <param name="defaultModel">Path of the model that is planned for when none is named.</param>
    public static Command Create(Func<string> defaultModel)
    {
        Option<long?> vram = Amount("--vram", "Video memory that the process may hold on an NVIDIA card. [default: 19GiB]"), ram = Amount("--ram", "Plan for the processor instead, with this much memory (pages of mapped files do not count).");
        var width = new Option<int>("--width") { Description = "Width in px.", HelpName = "PX", DefaultValueFactory = _ => 1024 };
        var height = new Option<int>("--height") { Description = "Height in px.", HelpName = "PX", DefaultValueFactory = _ => 1024 };
        var steps = new Option<int>("--steps") { Description = "Steps of the schedule.", HelpName = "N", DefaultValueFactory = _ => 30 };
        var count = new Option<int>("--count") { Description = "Pictures of one prompt.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var offload = new Option<OffloadMode>("--offload") { Description = "Where weights are between the steps: auto takes what is fastest.", HelpName = "auto|resident|stream|sessions", DefaultValueFactory = _ => OffloadMode.Auto };
        var model = new Option<string?>("--model") { Description = "A checkpoint (.safetensors) or a package's folder.", HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError("--count must be at least 1.");
        });
        var command = new Command("plan", "Shows what a budget of memory means: what stays, what is streamed, how pictures are decoded, and what that costs. Loads nothing.")
        {
            vram, ram, width, height, steps, count, offload, model, json,
        };
        var frame = new FrameChoice(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(vram) is not null && result.GetResult(ram) is not null) result.AddError("--vram plans for a card and --ram for the processor: give one of them.");
        });
        command.SetAction(result =>
        {
            long? memory = result.GetValue(ram);
            (Lowering lowering, DeviceProfile device) = memory is null ? (Lowering.Cuda, DeviceProfile.Hopper) : (Lowering.Portable, DeviceProfile.Processor);
            var request = new ResidencyRequest
            {
                Budget = memory ?? result.GetValue(vram) ?? ResidencyRequest.DefaultBudget,
                Width = result.GetValue(width),
                Height = result.GetValue(height),
                Steps = result.GetValue(steps),
                Count = result.GetValue(count),
                Offload = result.GetValue(offload),
                Frame = frame.Read(result),
            };
            ResidencyPlan plan = ResidencyPlanner.Plan(ModelSizes.Read(result.GetValue(model) ?? defaultModel(), lowering), request, device);
            TextWriter output = result.InvocationConfiguration.Output;
            if (result.GetValue(json)) output.WriteLine(JsonSerializer.Serialize(plan, Json));
            else Print(plan, device, output);
            return 0;
        });
        return command;
    }

    private static Option<long?> Amount(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "AMOUNT",
        CustomParser = result =>
        {
            try
            {
                return ByteSize.Parse(result.Tokens[0].Value);
            }
            catch (ByteSizeException exception)
            {
                result.AddError($"{name}: {exception.Message}");
                return null;
            }
        },
    };

    private static void Print(ResidencyPlan plan, DeviceProfile device, TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        // Where there is no terminal, a table is better wide than broken.
        if (output != Console.Out || Console.IsOutputRedirected) console.Profile.Width = PlainWidth;

        ResidencyRequest request = plan.Request;
        console.WriteLine(Line($"{request.Width}x{request.Height} px, {request.Steps} steps{(request.Count > 1 ? Line($", {request.Count} pictures") : "")}, {device.Name}: {ByteSize.Format(plan.PeakBytes)} of {ByteSize.Format(request.Budget)}"));

        var memory = new Table().Border(TableBorder.Simple).AddColumn("memory");
        foreach (PhasePlan phase in plan.Phases) memory.AddColumn(new TableColumn(phase.Phase.ToString().ToLowerInvariant()).RightAligned());
        foreach (string share in plan.Phases.SelectMany(phase => phase.Shares).Select(share => share.Name).Distinct())
            memory.AddRow([share, .. plan.Phases.Select(phase => phase.Shares.Where(entry => entry.Name == share).Sum(entry => entry.Bytes)).Select(bytes => bytes == 0 ? "" : ByteSize.Format(bytes))]);
        memory.AddRow(["sum", .. plan.Phases.Select(phase => ByteSize.Format(phase.Bytes))]);
        console.Write(memory);

        PlanEstimate estimate = plan.Estimate;
        var time = new Table().Border(TableBorder.Simple).AddColumn("estimate").AddColumn(new TableColumn("seconds").RightAligned());
        foreach ((string name, double seconds) in ((string, double)[])[("text", estimate.Text), ("conditioning", estimate.Conditioning), ("loading", estimate.Loading), ("step", estimate.Step), ("decoding", estimate.Decoding), ("picture", estimate.Picture)])
            time.AddRow(name, Line($"{seconds:0.000}"));
        console.Write(time);
        foreach (string sentence in plan.Explanation) console.WriteLine(sentence);
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
