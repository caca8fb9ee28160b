using System.Text.Json.Nodes;
using System.Xml.Linq;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using MuseAtelier.Tools.Charts;

namespace MuseAtelier.Tests.Documentation;

public sealed class SanctumChartTests : IDisposable
{
    private static readonly string Results = Path.Combine(GoldenFiles.Root, "benchmarks", "nvidia-h200");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Draw_OfTheCommittedResults_IsTheCommittedChart()
    {
        string committed = File.ReadAllText(Path.Combine(GoldenFiles.Root, "docs", "sanctum.svg")).ReplaceLineEndings("\n");
        Assert.True(
            committed == SanctumChart.Draw(Results),
            "docs/sanctum.svg is not what benchmarks/nvidia-h200 amounts to: dotnet run --project tools/charts -- sanctum");
    }

    [Fact]
    public void Draw_OfMorePoints_KeepsThemAllInside()
    {
        JsonArray budgets = Committed();
        budgets.Add(Variant(1.4, budgetGibibytes: 16, peakGibibytes: 15.9, "Resident"));
        budgets.Add(Variant(137, budgetGibibytes: 2, peakGibibytes: 1.9, "Sessions"));
        File.WriteAllText(_folder["budgets.json"], budgets.ToJsonString());
        File.WriteAllText(
            _folder["peers.json"],
            """[{"peer": "diffusers", "mode": "group_blocks", "median_s": 13.5, "device_gib": 13.5, "load_s": 30}]""");

        var svg = XElement.Parse(SanctumChart.Draw(_folder[""]));
        XNamespace space = svg.Name.Namespace;
        List<XElement> circles = [.. svg.Descendants(space + "circle")];
        Assert.All(circles, circle =>
        {
            Assert.InRange((double)circle.Attribute("cx")!, 0, (double)svg.Attribute("width")!);
            Assert.InRange((double)circle.Attribute("cy")!, 0, (double)svg.Attribute("height")!);
        });
        // The legend has two circles of its own.
        Assert.Equal(2 + (2 * budgets.Count) - 1, circles.Count);
        Assert.Contains("137.00 s, 1.90 GiB held at most", svg.Value, StringComparison.Ordinal);
        Assert.Contains("group offload by blocks, 13.5", svg.Value, StringComparison.Ordinal);
        Assert.Contains("137.00 sessions in turn", svg.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("[{\"budgetBytes\": 1}]")]
    [InlineData("[]")]
    public void Draw_OfSomethingElse_SaysSoInOneLine(string json)
    {
        File.WriteAllText(_folder["budgets.json"], json);
        ResultFileException refusal = Assert.Throws<ResultFileException>(() => SanctumChart.Draw(_folder[""]));
        Assert.Contains("budgets.json", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Collect_OfResultsInAnyOrder_IsTheCommittedFile()
    {
        List<string> paths = [];
        foreach ((int index, JsonNode? result) in Committed().Index())
        {
            paths.Add(_folder[FormattableString.Invariant($"{(index * 5) % 7}.json")]);
            File.WriteAllText(paths[^1], result!.ToJsonString());
        }

        paths.Sort(StringComparer.Ordinal);
        string collected = ResultCollection.Collect(paths);
        Assert.Equal(File.ReadAllText(Path.Combine(Results, "budgets.json")).ReplaceLineEndings("\n"), collected);
    }

    [Fact]
    public void Collect_OfAnotherMachinesResult_ThrowsWithItsPathAndMachine()
    {
        JsonNode first = Committed()[0]!, other = Committed()[1]!;
        other["machine"]!["device"] = "NVIDIA H100";
        File.WriteAllText(_folder["none.json"], first.ToJsonString());
        File.WriteAllText(_folder["8GiB.json"], other.ToJsonString());
        ResultFileException refusal = Assert.Throws<ResultFileException>(() =>
            ResultCollection.Collect([_folder["none.json"], _folder["8GiB.json"]]));
        Assert.Equal(_folder["8GiB.json"], refusal.Path);
        Assert.Contains("NVIDIA H100", refusal.Message, StringComparison.Ordinal);
    }

    private static JsonArray Committed() => JsonNode.Parse(File.ReadAllBytes(Path.Combine(Results, "budgets.json")))!.AsArray();

    private static JsonNode Variant(double seconds, double budgetGibibytes, double peakGibibytes, string offload)
    {
        JsonNode result = Committed()[^1]!.DeepClone();
        result["pictureSeconds"] = seconds;
        result["budgetBytes"] = (long)(budgetGibibytes * (1L << 30));
        result["peakDeviceBytes"] = (long)(peakGibibytes * (1L << 30));
        result["offload"] = offload;
        return result;
    }
}
