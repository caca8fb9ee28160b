using MuseAtelier.Pictures;
using MuseAtelier.Tests.Loras;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

/// <summary>LoRAs on the command line: painted, recorded, verified and painted again.</summary>
public sealed class LoraCommandTests(LoraFiles files) : IClassFixture<LoraFiles>
{
    private string Folder => Path.GetDirectoryName(files.A)!;

    [Fact]
    public async Task Render_WithATagOrAnOption_PaintsTheSamePictureAndReplayFindsTheFile()
    {
        MuseResult tagged = await PaintAsync("tag.png", "a lake<lora:a:0.25:0.5>", "--lora-folder", Folder);
        MuseResult given = await PaintAsync("option.png", "a lake", "--lora", $"{files.A}:0.5:0.25");
        Assert.Equal((0, 0), (tagged.Code, given.Code));
        Assert.DoesNotContain("painted as text", tagged.Error, StringComparison.Ordinal);
        PictureRecord one = PictureFile.Read(files["tag.png"]).ReadRecord(), other = PictureFile.Read(files["option.png"]).ReadRecord();
        Assert.Equal(one.Hashes.Pixels, other.Hashes.Pixels);
        PictureLora lora = Assert.Single(one.Request.Loras);
        Assert.Equal((0.5f, 0.25f), (lora.Strength, lora.TextStrength));
        Assert.Equal(PictureFile.Read(files["tag.png"]).Parameters!.Split(" Size")[0],
            PictureFile.Read(files["option.png"]).Parameters!.Split(" Size")[0]);
        Assert.DoesNotContain(Folder, PictureFile.Read(files["option.png"]).RecordJson, StringComparison.Ordinal);

        string[] model = ["--model", NarrowAtelier.Checkpoint, "--cache", Muse.Cache];
        MuseResult verified = await Muse.RunAsync(["verify", files["tag.png"], "--lora-folder", Folder, .. model]);
        Assert.EndsWith("same bytes", verified.Lines[0], StringComparison.Ordinal);
        MuseResult again = await Muse.RunAsync(
            ["replay", files["option.png"], "--lora", files.A, "--out", files["again.png"], "--force", .. model]);
        Assert.Equal(0, again.Code);
        Assert.Equal(File.ReadAllBytes(files["option.png"]), File.ReadAllBytes(files["again.png"]));
        (await Muse.RunAsync(["verify", files["tag.png"], .. model])).AssertFailed(1, "LoRA 'a'", lora.Sha256!);
        (await Muse.RunAsync(["replay", files["tag.png"], "--prompt", "a <lora:bb:1>", "--lora-folder", Folder, .. model]))
            .AssertFailed(1, "'bb'", "Did you mean b?");
    }

    [Fact]
    public async Task Render_WithTagsInTheSecondPass_IsRecordedVerifiedAndReplayed()
    {
        string[] hires = ["--hires", "1.25", "--hires-steps", "1"];
        MuseResult tagged = await PaintAsync(
            "pass-tag.png", "a lake<lora:a:0.5>", [.. hires, "--hires-prompt", "a lake<lora:b:2>", "--lora-folder", Folder]);
        string[] second = ["--hires-lora", $"{files.B}:2"];
        MuseResult given = await PaintAsync("pass-option.png", "a lake", [.. hires, "--lora", $"{files.A}:0.5", .. second]);
        Assert.Equal((0, 0), (tagged.Code, given.Code));
        PictureFileContent file = PictureFile.Read(files["pass-tag.png"]);
        PictureRecord one = file.ReadRecord(), other = PictureFile.Read(files["pass-option.png"]).ReadRecord();
        Assert.Equal(one.Hashes.Pixels, other.Hashes.Pixels);
        Assert.Equal([("a", 0.5f)], one.Request.Loras.Select(lora => (lora.Name, lora.Strength)));
        Assert.Equal([("b", 2f)], one.Request.Hires!.Loras!.Select(lora => (lora.Name, lora.Strength)));
        const string Text = "Hires prompt: \"a lake<lora:b:2>\"";
        Assert.Contains(Text, file.Parameters, StringComparison.Ordinal);
        Assert.Contains(Text, PictureFile.Read(files["pass-option.png"]).Parameters, StringComparison.Ordinal);

        string[] model = ["--model", NarrowAtelier.Checkpoint, "--cache", Muse.Cache];
        MuseResult verified = await Muse.RunAsync(["verify", files["pass-tag.png"], "--lora-folder", Folder, .. model]);
        Assert.EndsWith("same bytes", verified.Lines[0], StringComparison.Ordinal);
        // A file without strengths has those of the record.
        foreach (string option in (string[])["--lora", "--hires-lora"])
        {
            string[] to = ["--out", files["pass-again.png"], "--force"];
            MuseResult again = await Muse.RunAsync(
                ["replay", files["pass-option.png"], "--lora", files.A, option, files.B, .. to, .. model]);
            Assert.Equal(0, again.Code);
            Assert.Equal(File.ReadAllBytes(files["pass-option.png"]), File.ReadAllBytes(files["pass-again.png"]));
        }

        (await Muse.RunAsync(["verify", files["pass-tag.png"], "--lora", files.A, .. model])).AssertFailed(1, "LoRA 'b'");
    }

    [Fact]
    public async Task Plan_WithLorasOfTheSecondPass_CountsThoseOfEachPass()
    {
        string[] plan = ["plan", "--ram", "8GiB", "--model", NarrowAtelier.Checkpoint, "--json", "--hires", "1.5"];
        MuseResult none = await Muse.RunAsync([.. plan, "--lora", files.A, "--hires-lora", "none"]);
        MuseResult one = await Muse.RunAsync([.. plan, "--hires-lora", files.A]), both = await Muse.RunAsync([.. plan, "--lora", files.A]);
        Assert.Equal((true, false), Has(none));
        Assert.Equal((false, true), Has(one));
        Assert.Equal((true, true), Has(both));

        static (bool, bool) Has(MuseResult result)
        {
            using var json = System.Text.Json.JsonDocument.Parse(result.Out);
            System.Text.Json.JsonElement request = json.RootElement.GetProperty("request");
            return (request.GetProperty("hasLoras").GetBoolean(), request.GetProperty("secondPass").GetProperty("hasLoras").GetBoolean());
        }
    }

    [Theory]
    [InlineData("a.safetensors:much", "there is no LoRA")]
    [InlineData("a.safetensors:101", "expected FILE, FILE:STRENGTH")]
    [InlineData("a.safetensors:1:nan", "expected FILE, FILE:STRENGTH")]
    [InlineData("a.safetensors:-inf", "expected FILE, FILE:STRENGTH")]
    [InlineData("", "expected FILE, FILE:STRENGTH")]
    public async Task Render_WithALoraThatIsNone_IsRefused(string lora, string expected)
    {
        MuseResult result = await Muse.RunAsync("render", "a lake", "--lora", lora, "--cache", Muse.Cache, "--out", files["no.png"]);
        Assert.NotEqual(0, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(files["no.png"]));
    }

    // A prompt without tags needs no folder; a wrong path is a mistake all the same.
    [Fact]
    public async Task Commands_WithAFolderThatIsNone_RefuseIt()
    {
        string[] model = ["--model", NarrowAtelier.Checkpoint, "--cache", Muse.Cache];
        foreach (string folder in (string[])[files["nowhere"], files.A])
        {
            string[] wrong = ["--lora-folder", Folder, "--lora-folder", folder];
            (await Muse.RunAsync(["render", "a lake", .. wrong, .. model, "--out", files["no.png"]])).AssertFailed(1, folder);
            (await Muse.RunAsync(["tokens", "a lake", .. wrong])).AssertFailed(1, folder);
        }

        Assert.False(File.Exists(files["no.png"]));
    }

    [Fact]
    public async Task Tokens_WithAFolder_ShowsTheLorasBesideTheText()
    {
        MuseResult result = await Muse.RunAsync("tokens", "<lora:a:0.25:0.5>sea", "--lora-folder", Folder);
        Assert.Equal("LoRA a: strength 0.5, of the text encoders 0.25", result.Lines[0]);
        Assert.Contains("1 token in 1 chunk", result.Out, StringComparison.Ordinal);
        Assert.Empty(result.Error);
        MuseResult json = await Muse.RunAsync("tokens", "<lora:a>sea", "--lora-folder", Folder, "--json");
        Assert.Contains("""
            "loras":[{"name":"a","strength":1,"textStrength":1}]
            """.Trim(), json.Out, StringComparison.Ordinal);
        Assert.Contains("networks such as <lora:a>", (await Muse.RunAsync("tokens", "<lora:a>sea")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_WithALora_CountsItsWeights()
    {
        string[] plan = ["plan", "--ram", "4GiB", "--model", NarrowAtelier.Checkpoint, "--json"];
        MuseResult without = await Muse.RunAsync(plan), with = await Muse.RunAsync([.. plan, "--lora", files.A]);
        Assert.Contains("\"mergedBytes\":0", without.Out, StringComparison.Ordinal);
        Assert.Contains("\"hasLoras\":true", with.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\"mergedBytes\":0,", with.Out, StringComparison.Ordinal);
    }

    private Task<MuseResult> PaintAsync(string name, string prompt, params string[] options) => Muse.RunAsync(
    [
        "render", prompt, "--model", NarrowAtelier.Checkpoint, "--cache", Muse.Cache, "--width", "256", "--height", "256", "--steps", "1",
        "--seed", "3", "--out", files[name], "--force", .. options,
    ]);
}
