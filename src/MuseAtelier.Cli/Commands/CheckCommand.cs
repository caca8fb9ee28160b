using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse check</c>: the engine against reference values.</summary>
internal static class CheckCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("MODEL") { Description = "The model: a checkpoint (.safetensors) or the folder of an exported package." };
        var against = new Option<string>("--against") { Description = "The reference values, computed elsewhere from the same checkpoint.", HelpName = "FILE.safetensors", Required = true };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("check", "Runs a model against reference values and shows how far each part is off. Parts that the file has no values for are left out, and said so.") { model, against, json };
        var choices = new AtelierChoices(command, isDecodingChosen: false);
        command.SetAction(async (result, stop) =>
        {
            var progress = new NoticeProgress(terminal);
            ReferenceReport report = await ReferenceCheck.RunAsync(result.GetRequiredValue(model), result.GetRequiredValue(against), choices.Read(result), progress, stop);
            if (result.GetValue(json)) terminal.Out.WriteLine(Describe(report).ToJsonString(Json.Readable));
            else Show(terminal, report);
            if (report.Passed) return ExitCode.Done;
            terminal.WriteNotice("error", Verdict(report));
            return ExitCode.Failed;
        });
        return command;
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
