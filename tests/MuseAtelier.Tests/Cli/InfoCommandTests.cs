using System.Text.Json.Nodes;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class InfoCommandTests
{
    [Fact]
    public async Task Info_OfACheckpoint_SaysWhatItHolds()
    {
        MuseResult result = await Muse.RunAsync("info", TestAtelier.Checkpoint, "--json");
        JsonNode facts = JsonNode.Parse(result.Out)!;
        Assert.Equal("checkpoint", facts["kind"]!.GetValue<string>());
        Assert.Equal("SdxlBase", facts["holds"]!.GetValue<string>());
        Assert.Equal("Miniature", facts["metadata"]!["modelspec.title"]!.GetValue<string>());
    }

    [Fact]
    public async Task Info_OfAPictureOfAnotherProgram_GivesItsSize()
    {
        MuseResult result = await Muse.RunAsync("info", Path.Combine(GoldenFiles.Folder, "starry-512.png"));
        Assert.Equal(0, result.Code);
        Assert.Contains("512", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Info_OfATextThatCommandsTheTerminal_ShowsItHarmless()
    {
        using var folder = new TemporaryFolder();
        byte[] png = PngFile.Embed(
            File.ReadAllBytes(Path.Combine(GoldenFiles.Folder, "starry-512.png")),
            [PngChunk.Text("parameters", "night\u001b]0;title\u0007\nSteps: 3")]);
        MuseResult result = await Muse.RunAsync("info", folder.Write("a.png", png));
        Assert.Contains(result.Lines, line => line.EndsWith("night\uFFFD]0;title\uFFFD", StringComparison.Ordinal));
        Assert.Contains(result.Lines, line => line.Trim() == "Steps: 3");
    }

    [Fact]
    public async Task Info_OfATextFile_SaysThatItIsNone()
    {
        using var folder = new TemporaryFolder();
        (await Muse.RunAsync("info", folder.Write("note.txt", "a starry night"u8.ToArray()))).AssertFailed(1, "note.txt");
    }

    [Fact]
    public async Task Info_OfAMissingFile_EndsWith1AndNamesTheFile() => (await Muse.RunAsync("info", "nowhere")).AssertFailed(1, "nowhere");
}
