using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Measuring;
using Spectre.Console;

namespace MuseAtelier.Cli.Display;

/// <summary>A fidelity report, for people and for programs.</summary>
internal static class FidelityTable
{
    private const string Histogram = "64 bins a channel, half the sum of absolute differences of their shares, mean of the three channels; 0 equal, 1 nothing in common";
    private const string Psnr = "peak 255 for pictures, 2 for decoded numbers (-1 to 1), the reference's largest magnitude for text and predictions";

    /// <summary>Writes a table, and below it what its columns mean.</summary>
    public static void Write(FidelityReport report, Terminal terminal)
    {
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumn("what").AddColumn("computed with").AddColumn("against").AddColumn("PSNR, median").AddColumn("worst (seed)").AddColumn("relative error, median").AddColumn("worst");
        if (report.Request.WithPictures) table.AddColumn("histogram, median").AddColumn("worst");
        foreach (FidelityPart part in report.Parts)
        {
            int overflown = part.Values.Count(value => value.DecodedInFp32);
            List<string> cells =
            [
                Markup.Escape(overflown == 0 ? part.Name : Text($"{part.Name} ({overflown} decoded in fp32)")),
                Markup.Escape(part.Compared),
                Markup.Escape(part.Reference),
                Decibels(part.MedianPsnr),
                Text($"{Decibels(part.Worst.Psnr)} ({part.Worst.Seed})"),
                Text($"{part.MedianRelativeError:0.0e0}"),
                Text($"{part.WorstRelativeError:0.0e0}"),
            ];
            if (report.Request.WithPictures) cells.AddRange([part.MedianHistogramDifference is { } median ? Text($"{median:P2}") : "", part.WorstHistogramDifference is { } worst ? Text($"{worst:P2}") : ""]);
            table.AddRow([.. cells]);
        }

        FidelityRequest request = report.Request;
        terminal.Out.WriteLine(Text($"{report.Model} on {report.Device}: seeds 1 to {request.Seeds}, {request.Width}x{request.Height}, {request.Steps} steps"));
        terminal.OutConsole.Write(table);
        terminal.Out.WriteLine($"fp16: {report.Arithmetic}");
        terminal.Out.WriteLine(request.WithPictures ? "given: the fp32 pictures' latents, for predictions with noise added" : "given: noise, for predictions and for decoding");
        terminal.Out.WriteLine($"PSNR: {Psnr}");
        if (request.WithPictures) terminal.Out.WriteLine($"histogram: {Histogram}");
    }

    /// <summary>The report as JSON, with the machine and its versions.</summary>
    public static JsonObject Describe(FidelityReport report, Backend backend) => new()
    {
        ["date"] = DateTime.UtcNow,
        ["machine"] = MeasuredMachine.Of(report.Device, report.RuntimeVersion, backend).Describe(),
        ["model"] = report.Model,
        ["sha256"] = report.Sha256,
        ["arithmetic"] = report.Arithmetic,
        ["seeds"] = report.Request.Seeds,
        ["width"] = report.Request.Width,
        ["height"] = report.Request.Height,
        ["steps"] = report.Request.Steps,
        ["pictures"] = report.Request.WithPictures,
        ["psnr"] = Psnr,
        ["histogram"] = Histogram,
        ["parts"] = new JsonArray([.. report.Parts.Select(Describe)]),
    };

    private static JsonObject Describe(FidelityPart part) => new()
    {
        ["name"] = part.Name,
        ["compared"] = part.Compared,
        ["reference"] = part.Reference,
        ["medianPsnr"] = Json.Number(part.MedianPsnr),
        ["worstPsnr"] = Json.Number(part.Worst.Psnr),
        ["worstSeed"] = part.Worst.Seed,
        ["medianRelativeError"] = Json.Number(part.MedianRelativeError),
        ["worstRelativeError"] = Json.Number(part.WorstRelativeError),
        ["medianHistogramDifference"] = Json.Number(part.MedianHistogramDifference),
        ["worstHistogramDifference"] = Json.Number(part.WorstHistogramDifference),
        ["decodedInFp32"] = part.Values.Count(value => value.DecodedInFp32),
        ["values"] = new JsonArray([.. part.Values.Select(value => new JsonObject
        {
            ["seed"] = value.Seed,
            ["psnr"] = Json.Number(value.Psnr),
            ["relativeError"] = Json.Number(value.RelativeError),
            ["histogramDifference"] = Json.Number(value.HistogramDifference),
        })]),
    };

    private static string Decibels(double value) => double.IsNaN(value) ? "not finite" : double.IsPositiveInfinity(value) ? "equal" : Text($"{value:0.0} dB");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
