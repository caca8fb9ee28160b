using System.Text.Json.Nodes;
using MuseAtelier.Export;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Pictures;
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
    public async Task Info_OfAModel_ShowsWhatItPredictsAndWhy()
    {
        using var folder = new TemporaryFolder();
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.Set("v_pred", "F32", [0], []);
        raw.Set("ztsnr", "F32", [0], []);
        string checkpoint = raw.Write(folder["velocity.safetensors"]);
        JsonNode marked = JsonNode.Parse((await Muse.RunAsync("info", checkpoint, "--json")).Out)!;
        Assert.Equal("SdxlVelocity", marked["holds"]!.GetValue<string>());
        Assert.Equal("it has a tensor 'v_pred'", marked["predictionMark"]!.GetValue<string>());

        CheckpointExporter.Export(checkpoint, folder["package"], new ExportOptions(), null, TestContext.Current.CancellationToken);
        JsonNode package = JsonNode.Parse((await Muse.RunAsync("info", folder["package"], "--json")).Out)!;
        Assert.Equal("Velocity, zero terminal SNR (it has a tensor 'v_pred')", package["prediction"]!.GetValue<string>());
        Assert.Equal("up to 3", package["clipSkip"]!.GetValue<string>());

        string picture = folder["velocity.png"];
        string[] paint = ["render", "night", "-m", folder["package"], "-W", "256", "-H", "256", "--steps", "1", "--prediction", "v"];
        Assert.Equal(0, (await Muse.RunAsync([.. paint, "-o", picture])).Code);
        MuseResult text = await Muse.RunAsync("info", picture);
        Assert.Contains("the request says so", text.Out, StringComparison.Ordinal);
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
        byte[] png = Encoded.Png(
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
