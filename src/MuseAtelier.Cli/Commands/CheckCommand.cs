using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse check</c>: compares a model or the samplers with reference values, or fp16 with fp32.</summary>
internal static class CheckCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string?>("MODEL")
        {
            Description = "The model: a checkpoint (.safetensors) or, with --against, the folder of an exported package. "
                + $"[default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var against = new Option<string?>("--against")
        {
            Description = "Reference values that another program computed from the same checkpoint. Each part is compared with them.",
            HelpName = "FILE.safetensors",
        };
        var report = new Option<bool>("--report")
        {
            Description = "Show what fp16 costs: compute the same parts and pictures in fp16 and in fp32 on one device. "
                + "Exports one package for each precision.",
        };
        var samplers = new Option<string?>("--samplers")
        {
            Description = "Runs of samplers by k-diffusion or diffusers for made-up models. Each is run again and compared; needs no "
                + "MODEL.",
            HelpName = "FILE.safetensors",
        };
        var choices = new ReportChoices();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "check",
            "Compares a model with reference values, or shows what fp16 costs. Shows the error of each part. "
                + "The output also names the parts that have no reference values. With --samplers, compares the samplers and schedules.")
        {
            model, against, report, samplers,
        };
        foreach (Option option in choices.All) command.Add(option);
        command.Add(json);
        command.Validators.Add(result => Validate(result, [against, report, samplers], choices));
        command.Validators.Add(result =>
        {
            bool isGiven = result.GetResult(samplers) is { Implicit: false };
            if (isGiven && result.GetValue(model) is not null) result.AddError("--samplers needs no MODEL");
        });
        var atelier = new AtelierChoices(command, isDecodingChosen: false, isVaeChosen: false);
        command.SetAction(async (result, stop) =>
        {
            bool isJson = result.GetValue(json);
            if (result.GetValue(samplers) is { } recorded) return await SamplerCases.CheckAsync(terminal, recorded, isJson, stop);
            string path = result.GetValue(model) ?? DefaultModel.Find();
            AtelierOptions options = atelier.Read(result);
            return result.GetValue(against) is { } reference
                ? await CheckAsync(terminal, path, reference, options, isJson, stop)
                : await ReportAsync(terminal, path, choices.Read(result), options, isJson, stop);
        });
        return command;
    }

    private static void Validate(CommandResult result, Option[] kinds, ReportChoices choices)
    {
        if (kinds.Count(kind => IsGiven(kind)) != 1)
            result.AddError("Give one of --against FILE.safetensors, --report and --samplers FILE.safetensors");
        Option? stray = IsGiven(kinds[1]) ? null : choices.All.FirstOrDefault(IsGiven);
        if (stray is not null) result.AddError($"{stray.Name} needs --report");

        bool IsGiven(Option option) => result.GetResult(option) is { Implicit: false };
    }

    private static async Task<int> CheckAsync(
        Terminal terminal, string model, string reference, AtelierOptions options, bool json, CancellationToken stop)
    {
        ReferenceReport report = await ReferenceCheck.RunAsync(model, reference, options, new NoticeProgress(terminal), stop);
        if (json) terminal.Out.WriteLine(Describe(report).ToJsonString(Json.Readable));
        else Show(terminal, report);
        if (report.Passed) return ExitCode.Done;
        terminal.WriteNotice("error", Verdict(report));
        return ExitCode.Failed;
    }

    private static async Task<int> ReportAsync(
        Terminal terminal, string model, FidelityRequest request, AtelierOptions options, bool json, CancellationToken stop)
    {
        FidelityReport report = await FidelityCheck.RunAsync(model, options, request, new NoticeProgress(terminal), stop);
        if (json) terminal.Out.WriteLine(FidelityTable.Describe(report, options.Backend).ToJsonString(Json.Indented));
        else FidelityTable.Write(report, terminal);
        return ExitCode.Done;
    }

    private static void Show(Terminal terminal, ReferenceReport report)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumns("part", "relative error", "allowed", "PSNR", "at least", "");
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
        ? "the file has values for no part, so nothing was checked; expected reference values of this model"
        : Invariant($"{report.Parts.Count(part => part.Passed)} of {report.Parts.Count} parts passed");

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

    private static string Decibels(double? value) => value is { } number ? Invariant($"{number:0.0} dB") : "";

    private sealed class NoticeProgress(Terminal terminal) : IProgress<string>
    {
        public void Report(string value) => terminal.Error.WriteLine(value);
    }

    /// <summary>The options that only <c>--report</c> takes.</summary>
    private sealed class ReportChoices
    {
        private readonly Option<int> _seeds =
            Choice.Whole("--seeds", "With --report: number of seeds, from 1 on, each with a prompt of its own.", 16, least: 1);
        private readonly Option<bool> _parts = new("--parts")
        {
            Description = "With --report: compare only the parts and paint no pictures. For models that cannot paint, "
                + "such as one of random weights.",
        };
        private readonly Option<int> _width = Choice.Whole("--width", "With --report: width in px.", 1024, least: 1);
        private readonly Option<int> _height = Choice.Whole("--height", "With --report: height in px.", 1024, least: 1);
        private readonly Option<int> _steps = Choice.Whole("--steps", "With --report: denoising steps.", 30, least: 1);

        public IReadOnlyList<Option> All => [_seeds, _parts, _width, _height, _steps];

        public FidelityRequest Read(ParseResult result) => new()
        {
            Seeds = result.GetValue(_seeds),
            Width = result.GetValue(_width),
            Height = result.GetValue(_height),
            Steps = result.GetValue(_steps),
            WithPictures = !result.GetValue(_parts),
        };
    }
}
