using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse check</c>: the engine against reference values, or fp16 against fp32.</summary>
internal static class CheckCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string?>("MODEL") { Description = $"The model: a checkpoint (.safetensors) or, with --against, the folder of an exported package. [default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]", Arity = ArgumentArity.ZeroOrOne };
        var against = new Option<string?>("--against") { Description = "Reference values, computed elsewhere from the same checkpoint, to hold each part against.", HelpName = "FILE.safetensors" };
        var report = new Option<bool>("--report") { Description = "What fp16 costs: the same parts and pictures in fp16 and in fp32 on one device. Exports a package for each arithmetic." };
        var seeds = Choice.Whole("--seeds", "Of the report: seeds, from 1 on, each with a prompt of its own.", 16, least: 1);
        var parts = new Option<bool>("--parts") { Description = "Of the report: only the parts, no pictures. For models that paint none, as one of random weights." };
        var width = Choice.Whole("--width", "Of the report: width in px.", 1024, least: 1);
        var height = Choice.Whole("--height", "Of the report: height in px.", 1024, least: 1);
        var steps = Choice.Whole("--steps", "Of the report: denoising steps.", 30, least: 1);
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("check", "Runs a model against reference values and shows how far each part is off; or shows what fp16 costs. Parts that the file has no values for are left out, and said so.")
        {
            model, against, report, seeds, parts, width, height, steps, json,
        };
        command.Validators.Add(result =>
        {
            bool reports = result.GetResult(report) is { Implicit: false };
            if (reports == result.GetResult(against) is { Implicit: false }) result.AddError("Give either --against FILE.safetensors or --report");
            Option? stray = reports ? null : Array.Find<Option>([seeds, parts, width, height, steps], option => result.GetResult(option) is { Implicit: false });
            if (stray is not null) result.AddError($"{stray.Name} needs --report");
        });
        var choices = new AtelierChoices(command, isDecodingChosen: false);
        command.SetAction(async (result, stop) =>
        {
            string path = result.GetValue(model) ?? DefaultModel.Find();
            if (result.GetValue(against) is { } reference) return await CheckAsync(terminal, path, reference, choices.Read(result), result.GetValue(json), stop);
            var request = new FidelityRequest
            {
                Seeds = result.GetValue(seeds),
                Width = result.GetValue(width),
                Height = result.GetValue(height),
                Steps = result.GetValue(steps),
                WithPictures = !result.GetValue(parts),
            };
            AtelierOptions options = choices.Read(result);
            FidelityReport fidelity = await FidelityCheck.RunAsync(path, options, request, new NoticeProgress(terminal), stop);
            if (result.GetValue(json)) terminal.Out.WriteLine(FidelityTable.Describe(fidelity, options.Backend).ToJsonString(Json.Indented));
            else FidelityTable.Write(fidelity, terminal);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<int> CheckAsync(Terminal terminal, string model, string reference, AtelierOptions options, bool json, CancellationToken stop)
    {
        ReferenceReport report = await ReferenceCheck.RunAsync(model, reference, options, new NoticeProgress(terminal), stop);
        if (json) terminal.Out.WriteLine(Describe(report).ToJsonString(Json.Readable));
        else Show(terminal, report);
        if (report.Passed) return ExitCode.Done;
        terminal.WriteNotice("error", Verdict(report));
        return ExitCode.Failed;
    }

    private static void Show(Terminal terminal, ReferenceReport report)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("part").AddColumn("relative error").AddColumn("allowed").AddColumn("PSNR").AddColumn("at least").AddColumn("");
        foreach (ReferencePart part in report.Parts)
        {
            table.AddRow(
                Markup.Escape(part.Name),
                part.RelativeError.ToString("0.0e0", CultureInfo.InvariantCulture),
                part.AllowedError.ToString("0.0e0", CultureInfo.InvariantCulture),
                Decibels(part.Psnr),
                Decibels(part.RequiredPsnr),
                part.Passed ? "[green]pass[/]" : "[red]FAIL[/]");
        }

        if (report.Parts.Count > 0) terminal.OutConsole.Write(table);
        foreach (string part in report.LeftOut) terminal.Out.WriteLine($"left out: {part}");
        if (report.Passed) terminal.Out.WriteLine(Verdict(report));
    }

    private static string Verdict(ReferenceReport report) => report.Parts.Count == 0
        ? "the file has values for no part: nothing was checked; expected reference values of this model"
        : string.Create(CultureInfo.InvariantCulture, $"{report.Parts.Count(part => part.Passed)} of {report.Parts.Count} parts passed");

    private static JsonObject Describe(ReferenceReport report) => new()
    {
        ["passed"] = report.Passed,
        ["parts"] = new JsonArray([.. report.Parts.Select(part => new JsonObject
        {
            ["name"] = part.Name,
            ["relativeError"] = Json.Number(part.RelativeError),
            ["allowedError"] = Json.Number(part.AllowedError),
            ["psnr"] = Json.Number(part.Psnr),
            ["requiredPsnr"] = Json.Number(part.RequiredPsnr),
            ["passed"] = part.Passed,
        })]),
        ["leftOut"] = new JsonArray([.. report.LeftOut.Select(part => JsonValue.Create(part))]),
    };

    private static string Decibels(double? value) => value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{number:0.0} dB") : "";

    private sealed class NoticeProgress(Terminal terminal) : IProgress<string>
    {
        public void Report(string value) => terminal.Error.WriteLine(value);
    }
}
