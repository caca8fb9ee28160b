using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MuseAtelier.Export;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

public sealed partial class ReadmeTests
{
    public static TheoryData<string> AllPages => [.. Pages.All];

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Links_OfAPage_LeadSomewhere(string page)
    {
        foreach (Match link in Link().Matches(Pages.Read(page)))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            if (target.Length == 0 || target.StartsWith("https://", StringComparison.Ordinal)) continue;
            if (target.StartsWith("xref:", StringComparison.Ordinal))
            {
                // Links into the API reference name a type.
                Assert.True(typeof(Atelier).Assembly.GetType(target["xref:".Length..])?.IsPublic, $"{page} links to {target}");
                continue;
            }

            string path = Path.Combine(GoldenFiles.Root, Path.GetDirectoryName(page)!, target);
            Assert.True(Path.Exists(path), $"{page} links to {target}");
        }
    }

    [Fact]
    public void FormatPage_StatesTheVersionsThatAreWritten()
    {
        string page = Pages.Read("docs/package-format.md");
        Assert.Contains(
            FormattableString.Invariant($"Format version {PackageManifest.CurrentFormatVersion};"), page, StringComparison.Ordinal);
        Assert.Contains(
            FormattableString.Invariant($"| `formatVersion` | {PackageManifest.CurrentFormatVersion} |"), page, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"| ONNX IR version | {GraphBuilder.IrVersion} |"), page, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"| opset of `ai.onnx` | {GraphBuilder.Opset} "), page, StringComparison.Ordinal);
        foreach (string component in typeof(ComponentNames).GetFields().Select(field => (string)field.GetValue(null)!))
            Assert.Contains($"| `{component}` |", page, StringComparison.Ordinal);
    }

    [Fact]
    public void FormatPage_ShowsWeightsThatAreWritten()
    {
        using var folder = new TemporaryFolder();
        var written = new List<JsonNode>();
        foreach (Lowering lowering in Enum.GetValues<Lowering>())
        {
            string package = folder[lowering.ToString()];
            CheckpointExporter.Export(
                TestAtelier.Checkpoint, package, new ExportOptions { Lowering = lowering },
                cancellationToken: TestContext.Current.CancellationToken);
            JsonNode manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(package, PackageManifest.FileName)))!;
            IEnumerable<JsonNode?> stages = manifest["components"]!.AsArray().SelectMany(component => component!["stages"]!.AsArray());
            foreach (JsonNode? stage in stages)
                written.AddRange([.. stage!["weights"]!.AsArray().Concat(stage["constants"]!.AsArray()).Select(weight => weight!)]);
        }

        MatchCollection blocks = JsonBlock().Matches(Pages.Read("docs/package-format.md"));
        Assert.Equal(3, blocks.Count);
        foreach (Match block in blocks)
        {
            JsonNode shown = JsonNode.Parse(block.Groups[1].Value)!;
            Assert.True(written.Exists(weight => JsonNode.DeepEquals(weight, shown)), $"no manifest holds {shown.ToJsonString()}");
        }
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
