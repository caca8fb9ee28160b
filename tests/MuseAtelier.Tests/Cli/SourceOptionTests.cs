using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

/// <summary>The options of sources, masks, second passes and series, up to the point where a model would be opened.</summary>
public sealed class SourceOptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SourceOptionTests()
    {
        PictureFile.WriteImage(new SourceImage(300, 260, new byte[300 * 260 * 3]), _folder["photo.png"]);
        File.WriteAllText(_folder["notes.txt"], "no picture");
        Directory.CreateDirectory(_folder["album"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--strength 0.5", "--strength needs --from")]
    [InlineData("--fit pad", "--fit needs --from")]
    [InlineData("--extend right=8", "--extend needs --from")]
    [InlineData("--mask photo.png", "--mask needs --from")]
    [InlineData("--from photo.png --mask-blur 3", "--mask-blur needs --mask")]
    [InlineData("--from photo.png --only-masked 32", "--only-masked needs --mask")]
    [InlineData("--from photo.png --from photo.png", "--from")]
    [InlineData("--from photo.png --strength half", "--strength is 'half'; expected a number")]
    [InlineData("--from photo.png --fit squash", "crop, pad, stretch")]
    [InlineData("--from photo.png --extend 8", "such as left=128,right=128")]
    [InlineData("--from photo.png --extend left=1,left=2", "--extend is 'left=1,left=2'")]
    [InlineData("--from photo.png --extend top=-8", "--extend is 'top=-8'")]
    [InlineData("--from photo.png --extend bottom=4096", "0 to 2048 px")]
    [InlineData("--from photo.png --mask photo.png --mask-blur 65", "a whole number from 0 to 64")]
    [InlineData("--from photo.png --mask photo.png --mask-content soup", "original, fill, noise, nothing")]
    [InlineData("--from photo.png --mask photo.png --paste-back maybe", "on, off")]
    [InlineData("--hires-steps 5", "--hires-steps needs --hires")]
    [InlineData("--hires-upscaler lanczos", "--hires-upscaler needs --hires")]
    [InlineData("--hires two", "--hires is 'two'; expected a number")]
    [InlineData("--hires 2 --hires-upscaler latnet", "Did you mean latent?")]
    [InlineData("--hires 2 --hires-sampler eulr", "Did you mean")]
    public async Task Render_WithOptionsThatSayNothing_IsWrongUsage(string options, string expected) =>
        (await RenderAsync(options)).AssertFailed(2, expected);

    [Theory]
    [InlineData("--from none.png", "none.png")]
    [InlineData("--from album", "album")]
    [InlineData("--from notes.txt", "notes.txt is not a picture")]
    [InlineData("--from photo.png --mask none.png", "none.png")]
    [InlineData("--from photo.png --mask alpha", "photo.png has no transparent parts", "--mask FILE")]
    [InlineData("--from photo.png --mask photo.png", "has no white")]
    [InlineData("--from photo.png --strength 1.5", "Strength is 1.5", "0 to 1")]
    [InlineData("--from photo.png --strength NaN", "Strength is NaN")]
    [InlineData("--hires 9", "the factor 9")]
    [InlineData("--hires 2 --hires-strength 0", "the strength of the second pass is 0")]
    [InlineData("--hires 2 --hires-upscaler none.pth", "none.pth cannot be read", ".safetensors or .pth")]
    public async Task Render_OfWhatCannotBePainted_FailsWithOneLine(string options, params string[] expected) =>
        (await RenderAsync(options)).AssertFailed(1, expected);

    [Fact]
    public async Task Variations_OfTooManyPictures_IsWrongUsage()
    {
        (await Muse.RunAsync("variations", "x", "--strengths", "0.2,0.4")).AssertFailed(2, "--strengths needs --from");
        (await Muse.RunAsync("variations", "x", "--guidances", "4,many")).AssertFailed(2, "--guidances is '4,many'");
        (await Muse.RunAsync("variations", "x", "--guidances", "4,7", "--count", "33")).AssertFailed(2, "66 pictures; expected at most 64");
        (await Muse.RunAsync("variations", "x", "--count", "65")).AssertFailed(2, "1 to 64");
    }

    [Theory]
    [InlineData(1024, 1024, 1024, 1024)]
    [InlineData(1216, 832, 1216, 832)]
    [InlineData(1003, 667, 1000, 664)]
    [InlineData(6000, 4000, 1256, 840)]
    [InlineData(4000, 6000, 840, 1256)]
    [InlineData(1, 1, 256, 256)]
    [InlineData(100, 50, 512, 256)]
    [InlineData(20000, 100, 2048, 256)]
    [InlineData(1, 65535, 256, 2048)]
    public void SizeOfASource_IsItsOwnUpToTheTrainedPixels(int width, int height, int expectedWidth, int expectedHeight)
    {
        MuseAtelier.Cli.SourceSize size = MuseAtelier.Cli.SourceSize.Of("photo.png", width, height);
        Assert.Equal((expectedWidth, expectedHeight), (size.Width, size.Height));
        bool isOwn = (width, height) == (expectedWidth, expectedHeight);
        Assert.Equal(isOwn, size.Notice is null);
        string words = $"photo.png has {width}x{height} px: painted at {size.Width}x{size.Height}";
        if (!isOwn) Assert.Contains(words, size.Notice!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_OfASourceAndASecondPass_PlansBoth()
    {
        MuseResult result = await Muse.RunAsync(
            "plan", "--from", _folder["photo.png"], "--strength", "0.5", "--steps", "10", "--hires", "2", "--hires-steps", "4", "--json");
        Assert.Equal(0, result.Code);
        JsonNode request = JsonNode.Parse(result.Out)!["request"]!;
        Assert.Equal((304, 264, 5), ((int)request["width"]!, (int)request["height"]!, (int)request["steps"]!));
        Assert.True((bool)request["encodesSource"]!);
        JsonNode second = request["secondPass"]!;
        Assert.Equal((608, 528, 4), ((int)second["width"]!, (int)second["height"]!, (int)second["steps"]!));
        (await Muse.RunAsync("plan", "--strength", "0.5")).AssertFailed(2, "--strength needs --from");
    }

    private async Task<MuseResult> RenderAsync(string options)
    {
        string[] files = ["photo.png", "notes.txt", "album", "none.png", "none.pth"];
        string[] words = [.. options.Split(' ').Select(word => files.Contains(word) ? _folder[word] : word)];
        MuseResult result = await Muse.RunAsync(
            ["render", "x", "--width", "256", "--height", "256", .. words, "--out", _folder["out.png"], "--cache", Muse.Cache]);
        Assert.False(File.Exists(_folder["out.png"]));
        return result;
    }
}
