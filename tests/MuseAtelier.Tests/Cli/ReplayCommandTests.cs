using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Cli;

/// <summary><c>muse verify</c> and <c>muse replay</c> of pictures that <c>muse render</c> wrote.</summary>
public sealed class ReplayCommandTests
{
    private static readonly string[] Small = ["--width", "256", "--height", "256", "--steps", "2", .. Muse.Narrow];

    [Fact]
    public async Task Replay_OfAPicture_PaintsTheSameAgain()
    {
        using var folder = new TemporaryFolder();
        string[] request = ["sea, \"storm\"\n夜", .. Small, "--negative", "fog", "--seed", "5", "--noise", "comfy", "--karras"];
        await Muse.RunAsync(["render", .. request, "--out", folder["sea.png"]]);
        MuseResult result = await Muse.RunAsync(["replay", folder["sea.png"], .. Muse.Narrow, "--out", folder["again.png"]]);
        Assert.Equal(0, result.Code);
        Assert.DoesNotContain("notice", result.Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(folder["sea.png"]), File.ReadAllBytes(folder["again.png"]));
    }

    [Fact]
    public async Task Replay_OfAPictureDecodedInTiles_DecodesInTheSameUnlessToldOtherwise()
    {
        using var folder = new TemporaryFolder();
        string[] request = ["sea", "--width", "576", "--height", "256", "--steps", "1", "--seed", "5", "--vae-tiling", "tiled"];
        await Muse.RunAsync(["render", .. request, .. Muse.Narrow, "--out", folder["sea.png"]]);
        Assert.Equal(new TileSize(32, 64), PictureFile.Read(folder["sea.png"]).ReadRecord().Engine.VaeTile);
        Assert.Equal(0, (await Muse.RunAsync(["replay", folder["sea.png"], .. Muse.Narrow, "--out", folder["again.png"]])).Code);
        Assert.Equal(File.ReadAllBytes(folder["sea.png"]), File.ReadAllBytes(folder["again.png"]));
        string[] whole = [.. Muse.Narrow, "--vae-tiling", "whole", "--out", folder["whole.png"]];
        Assert.Equal(0, (await Muse.RunAsync(["replay", folder["sea.png"], .. whole])).Code);
        Assert.Null(PictureFile.Read(folder["whole.png"]).ReadRecord().Engine.VaeTile);
    }

    [Fact]
    public async Task Replay_OfAPictureOfAPass_PaintsItInItsPlaceUnlessToldOtherwise()
    {
        using var folder = new TemporaryFolder();
        MuseResult rendered = await Muse.RunAsync(
            ["render", "sea", .. Small, "--seed", "5", "--count", "2", "--batch", "2", "--out", folder["sea.png"], "--json"]);
        Assert.Equal(
            ["""{"batchSize":2,"index":0}""", """{"batchSize":2,"index":1}"""],
            rendered.Lines.Select(line => JsonNode.Parse(line)!["batchSlot"]!.ToJsonString()));
        Assert.Equal(0, (await Muse.RunAsync(["verify", folder["sea-2.png"], .. Muse.Narrow])).Code);
        Assert.Equal(0, (await Muse.RunAsync(["replay", folder["sea-2.png"], .. Muse.Narrow, "--out", folder["again.png"]])).Code);
        Assert.Equal(File.ReadAllBytes(folder["sea-2.png"]), File.ReadAllBytes(folder["again.png"]));
        string[] alone = [.. Muse.Narrow, "--batch", "1", "--out", folder["alone.png"]];
        Assert.Equal(0, (await Muse.RunAsync(["replay", folder["sea-2.png"], .. alone])).Code);
        Assert.Equal(BatchSlot.Alone, PictureFile.Read(folder["alone.png"]).ReadRecord().Engine.BatchSlot);
    }

    [Fact]
    public async Task Replay_WithChanges_ChangesThoseAlone()
    {
        using var folder = new TemporaryFolder();
        await Muse.RunAsync(
            ["render", "sea", .. Small, "--seed", "5", "--guidance", "4.5", "--karras", "--frame", "ebony", "--out", folder["sea.jpg"]]);
        string[] changes = ["--seed", "6", "--prompt", "night", "--karras", "false"];
        MuseResult result = await Muse.RunAsync(
            ["replay", folder["sea.jpg"], .. Muse.Narrow, .. changes, "--out", folder["night.webp"]]);
        Assert.Equal(0, result.Code);
        PictureRequest before = PictureFile.Read(folder["sea.jpg"]).ReadRecord().Request;
        PictureRequest after = PictureFile.Read(folder["night.webp"]).ReadRecord().Request;
        Assert.Equal(before with { Prompt = "night", Seed = 6, Schedule = new NoiseSchedule() }, after);
        Assert.Equal((4.5f, FrameStyle.Ebony), (after.GuidanceScale, after.Frame!.Style));
    }

    [Fact]
    public async Task Replay_OfAnotherProgramsPicture_SaysWhatItCouldNotTake()
    {
        using var folder = new TemporaryFolder();
        await Muse.RunAsync(["render", "x", .. Small, "--metadata", "none", "--out", folder["plain.png"]]);
        const string parameters =
            "sea\nNegative prompt: fog\nSteps: 2, Sampler: Restart, CFG scale: 5, Seed: 9, Size: 256x256, "
            + "Model hash: 0123456789, Model: other, Hires upscale: 2";
        byte[] foreign = Encoded.Png(File.ReadAllBytes(folder["plain.png"]), [PngChunk.Text("parameters", parameters)]);
        MuseResult result = await Muse.RunAsync(
            ["replay", folder.Write("foreign.png", foreign), .. Muse.Narrow, "--out", folder["again.png"]]);
        Assert.Equal(0, result.Code);
        Assert.Contains("not taken over: Sampler: Restart", result.Error, StringComparison.Ordinal);
        Assert.Contains("not taken over: Hires upscale: 2", result.Error, StringComparison.Ordinal);
        Assert.Contains("painted with other (0123456789)", result.Error, StringComparison.Ordinal);
        PictureRequest request = PictureFile.Read(folder["again.png"]).ReadRecord().Request;
        Assert.Equal(
            ("sea", "fog", 2, 5f, 9ul, NoiseSource.A1111),
            (request.Prompt, request.NegativePrompt, request.Steps, request.GuidanceScale, request.Seed, request.NoiseSource));
    }

    [Fact]
    public async Task Replay_OfAPictureWithoutRecord_EndsWith1()
    {
        using var folder = new TemporaryFolder();
        await Muse.RunAsync(["render", "x", .. Small, "--metadata", "origin", "--out", folder["plain.png"]]);
        (await Muse.RunAsync("replay", folder["plain.png"])).AssertFailed(1, "no record");
        (await Muse.RunAsync("verify", folder["plain.png"])).AssertFailed(1, "no record");
        (await Muse.RunAsync("replay", "nowhere.png")).AssertFailed(1, "nowhere.png");
    }

    [Fact]
    public async Task Verify_OfAPicture_SaysSameBytesAndOfACopySameLatents()
    {
        using var folder = new TemporaryFolder();
        await Muse.RunAsync(["render", "sea", .. Small, "--vae-tiling", "tiled", "--out", folder["sea.png"]]);
        MuseResult same = await Muse.RunAsync(["verify", folder["sea.png"], .. Muse.Narrow]);
        Assert.Equal((0, $"{folder["sea.png"]}: same bytes{Environment.NewLine}"), (same.Code, same.Out));

        // A copy by another program keeps the texts but compresses the pixels differently. One more chunk stands for that here.
        byte[] copy = Encoded.Png(File.ReadAllBytes(folder["sea.png"]), [PngChunk.Text("Software", "another")]);
        MuseResult other = await Muse.RunAsync(["verify", folder.Write("copy.png", copy), .. Muse.Narrow, "--json"]);
        JsonNode report = JsonNode.Parse(other.Out)!;
        Assert.Equal(
            (0, "SameLatents", 0), (other.Code, report["outcome"]!.GetValue<string>(), report["largestDifference"]!.GetValue<int>()));
    }
}
