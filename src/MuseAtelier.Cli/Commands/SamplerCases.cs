using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse check --samplers</c>: compares the samplers and schedules with reference values.</summary>
internal static class SamplerCases
{
    public static async Task<int> CheckAsync(Terminal terminal, string path, bool json, CancellationToken stop)
    {
        SamplerReport report = await SamplerCheck.RunAsync(path, cancellationToken: stop);
        if (json) terminal.Out.WriteLine(Describe(report).ToJsonString(Json.Readable));
        else Show(terminal, report);
        if (report.Passed) return ExitCode.Done;
        terminal.WriteNotice("error", Verdict(report));
        return ExitCode.Failed;
    }

    private static void Show(Terminal terminal, SamplerReport report)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("case", "relative error", "allowed", "", "");
        foreach (SamplerCase one in report.Cases)
        {
            table.AddRow(
                Markup.Escape(one.Name),
                one.RelativeError.ToString("0.0e0", CultureInfo.InvariantCulture),
                one.AllowedError.ToString("0.0e0", CultureInfo.InvariantCulture),
                one.Passed ? "[green]pass[/]" : "[red]FAIL[/]",
                Markup.Escape(one.Remark ?? ""));
        }

        terminal.OutConsole.Write(table);
        if (report.Passed) terminal.Out.WriteLine(Verdict(report));
    }

    private static string Verdict(SamplerReport report) =>
        Invariant($"{report.Cases.Count(one => one.Passed)} of {report.Cases.Count} cases passed");

    private static JsonObject Describe(SamplerReport report) => new()
    {
        ["passed"] = report.Passed,
        ["cases"] = new JsonArray([.. report.Cases.Select(one => new JsonObject
        {
            ["name"] = one.Name,
            ["relativeError"] = Json.Number(one.RelativeError),
            ["allowedError"] = Json.Number(one.AllowedError),
            ["passed"] = one.Passed,
            ["remark"] = one.Remark,
        })]),
    };
}
