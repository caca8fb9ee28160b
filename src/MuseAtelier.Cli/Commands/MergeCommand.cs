using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using MuseAtelier.Export;
using MuseAtelier.Export.Merging;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse merge</c>: merges checkpoints into a new one.</summary>
internal static class MergeCommand
{
    /// <summary>The last lines of the command's help.</summary>
    public static readonly string[] Help =
    [
        "Example: muse merge realistic.safetensors painterly.safetensors --weight 0.3 --out both.safetensors",
        "",
        "The modes are those of AUTOMATIC1111's checkpoint merger:",
        "  sum          A (1 - W) + B W",
        "  difference   A + (B - C) W: what training made of C, added to A",
        "The result has A's tensors in A's number types. All checkpoints must be of one kind and have the same tensors; an inpainting",
        "model may be A where the others are base models. With weight 0, and with weight 1 of a sum, the result is a copy of A or B,",
        "byte for byte. A checkpoint may be the folder of a model in several files.",
    ];

    public static Command Create(Terminal terminal)
    {
        Argument<string> first = Checkpoint("A", "The first checkpoint."), second = Checkpoint("B", "The second checkpoint.");
        Argument<string?> third = new("C")
        {
            Description = "The third checkpoint, which B was trained from.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<float> weight = Choice.Number(
            "--weight", $"The weight W, from -{MergeOptions.LargestWeight} to {MergeOptions.LargestWeight}; 0 to 1 is usual.", null);
        weight.Required = true;
        var mode = new Option<MergeMode?>("--mode")
        {
            Description = "sum or difference. [default: difference with C, else sum]",
            HelpName = "difference|sum",
            CustomParser = result => Enum.TryParse(result.Tokens[0].Value, ignoreCase: true, out MergeMode value) ? value : null,
        };
        mode.AcceptOnlyFromAmong("difference", "sum");
        Option<string?> output = UserPath.Option("--out", "-o");
        output.Description = "The file of the result (.safetensors).";
        output.HelpName = "FILE";
        output.Required = true;
        var half = new Option<bool>("--fp16") { Description = "Store the merged weights in fp16, whatever type A has." };
        var force = new Option<bool>("--force") { Description = "Replace an existing file." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("merge", "Merges checkpoints into a new one.")
            { first, second, third, weight, mode, output, half, force, json };
        command.Validators.Add(result => Check(result, third, mode, weight, output, force));
        command.SetAction(async (result, stop) =>
        {
            string? other = result.GetValue(third);
            var options = new MergeOptions
            {
                First = result.GetRequiredValue(first),
                Second = result.GetRequiredValue(second),
                Third = other,
                Mode = other is null ? MergeMode.Sum : MergeMode.Difference,
                Weight = result.GetValue(weight),
                InFp16 = result.GetValue(half),
            };
            ExportResult merged;
            await using (RenderDisplay display = RenderDisplay.Start(terminal, 1))
            {
                var report = new MergeReport(display);
                merged = await Task.Run(() => CheckpointMerger.Write(options, result.GetValue(output)!, report, stop), stop);
            }

            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(merged).ToJsonString(Json.Readable));
            else terminal.Out.WriteLine(
                Invariant($"{merged.Folder}: {merged.Bytes / 1e6:N1} MB in {merged.Elapsed.TotalSeconds:0.0} s"));
            return ExitCode.Done;
        });
        return command;
    }

    private static Argument<string> Checkpoint(string name, string description) => new(name) { Description = description };

    private static void Check(
        CommandResult result,
        Argument<string?> third,
        Option<MergeMode?> mode,
        Option<float> weight,
        Option<string?> output,
        Option<bool> force)
    {
        if (result.GetResult(mode) is not null && result.GetValue(mode) is { } chosen)
        {
            bool hasThird = result.GetResult(third) is { Tokens.Count: > 0 };
            bool fits = hasThird == (chosen == MergeMode.Difference);
            if (!fits) result.AddError("--mode sum has two checkpoints, and --mode difference three");
        }

        if (result.GetResult(weight) is { Tokens.Count: > 0 } given)
        {
            bool isInRange = Math.Abs(result.GetValue(weight)) <= MergeOptions.LargestWeight;
            string range = $"a number from -{MergeOptions.LargestWeight} to {MergeOptions.LargestWeight}";
            if (!isInRange) result.AddError(Choice.Refusal("--weight", given.Tokens[0].Value, range));
        }

        if (result.GetResult(output) is not { Tokens.Count: > 0 } || result.GetValue(output) is not { } path) return;
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            result.AddError(Choice.Refusal("--out", path, "a name that ends in .safetensors"));
        else if (File.Exists(path) && !result.GetValue(force)) result.AddError($"{path} is there already; --force replaces it");
    }

    private static JsonObject Describe(ExportResult merged) => new()
    {
        ["file"] = Path.GetFullPath(merged.Folder),
        ["bytes"] = merged.Bytes,
        ["seconds"] = merged.Elapsed.TotalSeconds,
    };

    private sealed class MergeReport(IProgress<LoadProgress> display) : IProgress<ExportProgress>
    {
        public void Report(ExportProgress value) => display.Report(new LoadProgress($"merging: {value.Phase}", value.Fraction));
    }
}
