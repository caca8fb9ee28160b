using System.Text.Json.Nodes;
using MuseAtelier.Cli.Measuring;
using Spectre.Console;
using static System.FormattableString;

namespace MuseAtelier.Cli.Display;

/// <summary>Writes a fidelity report as a table for people and as JSON for programs.</summary>
internal static class FidelityTable
{
    private const string Histogram = "64 bins a channel, half the sum of absolute differences of their shares, mean of the three channels; "
        + "0 equal, 1 nothing in common";
    private const string Psnr = "peak 255 for pictures, 2 for decoded numbers (-1 to 1), the reference's largest magnitude for text and "
        + "predictions";

    /// <summary>Writes a table, and below it the meaning of its columns.</summary>
    public static void Write(FidelityReport report, Terminal terminal)
    {
        FidelityRequest request = report.Request;
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumns("what", "computed with", "against", "PSNR, median", "worst (seed)", "relative error, median", "worst");
        if (request.WithPictures) table.AddColumns("histogram, median", "worst");
        foreach (FidelityPart part in report.Parts) table.AddRow([.. Cells(part, request.WithPictures)]);

        terminal.Out.WriteLine(Invariant(
            $"{report.Model} on {report.Device}: seeds 1 to {request.Seeds}, {request.Width}x{request.Height}, {request.Steps} steps"));
        terminal.OutConsole.Write(table);
        terminal.Out.WriteLine($"fp16: {report.Arithmetic}");
        terminal.Out.WriteLine(request.WithPictures
            ? "given: the fp32 pictures' latents, for predictions with noise added"
            : "given: noise, for predictions and for decoding");
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

    private static IEnumerable<string> Cells(FidelityPart part, bool withHistogram)
    {
        int overflowed = part.Values.Count(value => value.DecodedInFp32);
        yield return Markup.Escape(overflowed == 0 ? part.Name : Invariant($"{part.Name} ({overflowed} decoded in fp32)"));
        yield return Markup.Escape(part.Compared);
        yield return Markup.Escape(part.Reference);
        yield return Decibels(part.MedianPsnr);
        yield return Invariant($"{Decibels(part.Worst.Psnr)} ({part.Worst.Seed})");
        yield return Invariant($"{part.MedianRelativeError:0.0e0}");
        yield return Invariant($"{part.WorstRelativeError:0.0e0}");
        if (!withHistogram) yield break;
        yield return Percent(part.MedianHistogramDifference);
        yield return Percent(part.WorstHistogramDifference);
    }

    private static string Percent(double? share) => share is { } known ? Invariant($"{known:P2}") : "";

    private static string Decibels(double value)
    {
        if (double.IsNaN(value)) return "not finite";
        return double.IsPositiveInfinity(value) ? "equal" : Invariant($"{value:0.0} dB");
    }
}
