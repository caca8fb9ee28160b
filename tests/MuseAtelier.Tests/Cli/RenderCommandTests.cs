using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

public sealed class RenderCommandTests
{
    private static readonly string[] Small = ["--width", "256", "--height", "256", "--steps", "2", .. Muse.Narrow];

    [Fact]
    public async Task Render_OfTwoPictures_WritesThemAndSaysHow()
    {
        using var folder = new TemporaryFolder();
        string[] request = ["starry night, Van Gogh style", .. Small, "--negative", "fog", "--seed", "18446744073709551615"];
        MuseResult result = await Muse.RunAsync(["render", .. request, "--count", "2", "--out", folder["night.png"], "--json"]);
        Assert.Equal(0, result.Code);
        JsonNode[] pictures = [.. result.Lines.Select(line => JsonNode.Parse(line)!)];
        Assert.Equal([folder["night-1.png"], folder["night-2.png"]], pictures.Select(picture => picture["file"]!.GetValue<string>()));
        Assert.Equal([ulong.MaxValue, 0], pictures.Select(picture => picture["seed"]!.GetValue<ulong>()));
        PictureFileContent content = PictureFile.Read(folder["night-1.png"]);
        Assert.Equal((256, 256), (content.Width, content.Height));
        Assert.StartsWith(
            "starry night, Van Gogh style\nNegative prompt: fog\nSteps: 2, Sampler: Euler a,", content.Parameters,
            StringComparison.Ordinal);
        Assert.Contains("Seed: 18446744073709551615, Size: 256x256", content.Parameters, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFileSystemEntries(Path.GetDirectoryName(folder["x"])!).Length);
    }

    [Fact]
    public async Task Render_IntoAFolder_TakesANameThatIsFree()
    {
        using var folder = new TemporaryFolder();
        string path = Path.GetDirectoryName(folder["x"])!;
        folder.Write("a-sea-5.png", []);
        MuseResult result = await Muse.RunAsync(["render", "A sea!", .. Small, "--seed", "5", "--out", path]);
        Assert.Equal(0, result.Code);
        Assert.StartsWith(folder["a-sea-5-2.png"] + ": 256x256, seed 5", result.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(folder["a-sea-5-2.png"]));
    }

    [Fact]
    public async Task Render_WithoutASeed_DrawsAnotherEachTimeAndPrintsIt()
    {
        using var folder = new TemporaryFolder();
        var seeds = new HashSet<ulong>();
        foreach (string[] choice in (string[][])[[], [], ["--seed", "random"]])
        {
            MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, .. choice, "--out", folder["sea.png"], "--json"]);
            JsonNode picture = JsonNode.Parse(result.Out)!;
            ulong seed = picture["seed"]!.GetValue<ulong>();
            string file = picture["file"]!.GetValue<string>();
            Assert.Contains($"Seed: {seed},", PictureFile.Read(file).Parameters, StringComparison.Ordinal);
            // Seeds have 32 bits or more, so that equal draws are no chance.
            Assert.True(seeds.Add(seed), $"{seed} was drawn twice");
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("render", "a sea")]
    [InlineData("bench")]
    public async Task Render_WithABudgetThatCannotBeKept_IsRefusedBeforeAnythingIsExported(params string[] command)
    {
        using var folder = new TemporaryFolder();
        MuseResult result = await Muse.RunAsync([.. command, "--device", "cpu", "--ram", "100MiB", "--cache", folder["cache"]]);
        result.AssertFailed(1, "the budget is 100 MiB of memory", "for 1024x1024 px");
        Assert.Empty(Directory.GetFileSystemEntries(folder[""]));
    }

    [Fact]
    public async Task Render_WhenStopped_EndsWith130AndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        Task<MuseResult> running = Muse.RunAsync(
            stop.Token, ["render", "sea", "--width", "256", "--height", "256", "--steps", "1000", .. Muse.Narrow, "--out",
                folder["sea.png"]]);
        stop.CancelAfter(TimeSpan.FromSeconds(1));
        MuseResult result = await running;
        Assert.Equal(130, result.Code);
        Assert.EndsWith($"error: cancelled{Environment.NewLine}", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(folder["x"])!));
    }

    [Theory]
    [InlineData("--width 300", "300x1024", "304x1024")]
    [InlineData("--steps 0", "steps is 0")]
    [InlineData("--steps 10001", "10001")]
    [InlineData("--guidance NaN", "NaN")]
    [InlineData("--out nowhere/x.png", "no folder", "nowhere")]
    [InlineData("--out x.gif", ".gif", ".png")]
    [InlineData("--model nowhere.safetensors", "nowhere.safetensors")]
    public async Task Render_OfWhatCannotBePainted_SaysWhyBeforeAnyWork(string arguments, params string[] words) =>
        (await Muse.RunAsync(["render", "sea", .. arguments.Split(' ')])).AssertFailed(1, words);

    [Fact]
    public async Task Render_OverAFile_IsRefusedAndForced()
    {
        using var folder = new TemporaryFolder();
        folder.Write("sea.png", []);
        (await Muse.RunAsync(["render", "sea", .. Small, "--out", folder["sea.png"]])).AssertFailed(1, "exists already", "--force");
        Assert.Equal(0, (await Muse.RunAsync(["render", "sea", .. Small, "--out", folder["sea.png"], "--force"])).Code);
        Assert.NotEmpty(File.ReadAllBytes(folder["sea.png"]));
    }

    [Fact]
    public async Task Render_WithACacheThatCannotBeWritten_SaysWhatToDo()
    {
        using var folder = new TemporaryFolder();
        string blocked = Path.Combine(folder.Write("file", []), "cache");
        (await Muse.RunAsync("render", "sea", "--cache", blocked, "--out", folder["sea.png"])).AssertFailed(1, blocked, "MUSE_CACHE");
    }

    [Fact]
    public async Task Render_OfALongPrompt_SaysWhatWasCut()
    {
        using var folder = new TemporaryFolder();
        string prompt = string.Join(' ', Enumerable.Repeat("night", 10_000));
        MuseResult result = await Muse.RunAsync(
            ["render", prompt, "--prompt-syntax", "plain", .. Small, "--out", folder["night.png"]]);
        Assert.Equal(0, result.Code);
        Assert.Contains("notice: The prompt has 9925 tokens more than the 75", result.Error, StringComparison.Ordinal);
    }
}
