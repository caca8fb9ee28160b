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
    [Theory]
    [InlineData("README.md")]
    [InlineData("README.zh-CN.md")]
    public void Example_OfAReadme_IsTheOneThatIsCompiled(string readme)
    {
        string source = Read("tests/MuseAtelier.Tests/Documentation/EmbeddingExample.cs");
        int begin = source.IndexOf("// begin", StringComparison.Ordinal) + "// begin".Length;
        int end = source.IndexOf("// end", StringComparison.Ordinal);
        string[] lines = source[begin..end].Trim('\n', ' ').Split('\n');
        string compiled = string.Join('\n', lines.Select((line, i) => i == 0 ? line : line[8..]));
        string shown = Assert.Single(CSharpBlock().Matches(Read(readme))).Groups[1].Value.TrimEnd('\n');
        Assert.Equal(compiled, shown);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("README.zh-CN.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/cache.md")]
    [InlineData("docs/commands.md")]
    [InlineData("docs/cuda.md")]
    [InlineData("docs/environments.md")]
    [InlineData("docs/memory.md")]
    [InlineData("docs/models.md")]
    [InlineData("docs/package-format.md")]
    [InlineData("docs/pictures.md")]
    [InlineData("docs/pitfalls.md")]
    [InlineData("docs/prompts.md")]
    [InlineData("docs/publishing.md")]
    [InlineData("docs/records.md")]
    [InlineData("docs/requests.md")]
    [InlineData("docs/speed.md")]
    [InlineData("docs/storms.md")]
    [InlineData("docs/windows.md")]
    [InlineData("docs/decisions/README.md")]
    [InlineData("docs/frames/README.md")]
    [InlineData("benchmarks/README.md")]
    public void Links_OfAPage_LeadSomewhere(string page)
    {
        foreach (Match link in Link().Matches(Read(page)))
        {
            string target = link.Groups[1].Value.Split('#')[0];
            if (target.Length == 0 || target.StartsWith("https://", StringComparison.Ordinal)) continue;
            Assert.True(File.Exists(Path.Combine(GoldenFiles.Root, Path.GetDirectoryName(page)!, target)), $"{page} links to {target}");
        }
    }

    [Fact]
    public void FormatPage_StatesTheVersionsThatAreWritten()
    {
        string page = Read("docs/package-format.md");
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

        MatchCollection blocks = JsonBlock().Matches(Read("docs/package-format.md"));
        Assert.Equal(3, blocks.Count);
        foreach (Match block in blocks)
        {
            JsonNode shown = JsonNode.Parse(block.Groups[1].Value)!;
            Assert.True(written.Exists(weight => JsonNode.DeepEquals(weight, shown)), $"no manifest holds {shown.ToJsonString()}");
        }
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(GoldenFiles.Root, path)).ReplaceLineEndings("\n");

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
