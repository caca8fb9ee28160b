using System.Text.Json.Nodes;
using MuseAtelier.Cli;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using MuseAtelier.Tests.Upscaling;

namespace MuseAtelier.Tests.Cli;

public sealed class UpscaleCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Upscale_OfTwoPictures_WritesTheUpscalersPixelsBesideThem()
    {
        string model = TorchWriter.Write(_folder["tiny-x4.pth"], MadeUpUpscaler.Compact());
        SourceImage image = Image("a.png"), other = Image("b.png", seed: 2);
        MuseResult result = await RunAsync(_folder["a.png"], _folder["b.png"], "--model", model, "--json");
        Assert.Equal((ExitCode.Done, 2), (result.Code, result.Lines.Length));
        await using Upscaler upscaler = await Upscaler.OpenAsync(
            model, TestAtelier.Options, cancellationToken: TestContext.Current.CancellationToken);
        foreach ((SourceImage source, string name, int line) in new[] { (image, "a", 0), (other, "b", 1) })
        {
            JsonNode told = JsonNode.Parse(result.Lines[line])!;
            Assert.Equal(_folder[$"{name}-upscaled.png"], (string?)told["file"]);
            Assert.Equal((64, 4), ((int)told["width"]!, (int)told["upscaler"]!["scale"]!));
            Assert.Equal(upscaler.Sha256, (string?)told["upscaler"]!["sha256"]);
            SourceImage expected = await upscaler.UpscaleAsync(
                source, cancellationToken: TestContext.Current.CancellationToken);
            using DecodedPicture written = PictureFile.Decode(_folder[$"{name}-upscaled.png"]);
            Assert.Equal(expected.Pixels.ToArray(), written.Pixels.ToArray());
        }
    }

    [Fact]
    public async Task Upscale_OfAPaintedPicture_KeepsItsSettingsWithoutTheRecord()
    {
        string model = MadeUpUpscaler.Compact(2).Write(_folder["tiny x2, \"good\".safetensors"]);
        PictureFile.WriteImage(
            new SourceImage(16, 16, MadeUpUpscaler.Picture(16, 16)), _folder["p.png"], parameters: "a cat\nSteps: 20, Seed: 7");
        MuseResult result = await RunAsync(_folder["p.png"], "--model", model, "--scale", "1.5", "--out", _folder["q.png"]);
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("24x24", result.Out, StringComparison.Ordinal);
        Assert.Contains("enlarging p.png\nenlarging p.png: 100 %\n", result.Error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        PictureFileContent content = PictureFile.Read(_folder["q.png"]);
        Assert.Equal(
            "a cat\nSteps: 20, Seed: 7, Postprocess upscale by: 1.5, Postprocess upscaler: tiny x2 good", content.Parameters);
        Assert.Equal((24, 24), (content.Width, content.Height));
        Assert.Null(content.RecordJson);
    }

    [Fact]
    public async Task Upscale_OfWrongInput_FailsWithOneLine()
    {
        string model = MadeUpUpscaler.Compact(2).Write(_folder["x2.safetensors"]);
        Image("a.png");
        (await RunAsync(_folder["none.png"], "--model", model)).AssertFailed(ExitCode.Failed, "none.png");
        (await RunAsync(_folder["a.png"], "--model", _folder["none.pth"])).AssertFailed(ExitCode.Failed, "none.pth");
        MuseResult more = await RunAsync(_folder["a.png"], "--model", model, "--scale", "3");
        Assert.Equal(ExitCode.Failed, more.Code);
        Assert.Contains("--scale is 3, but x2 enlarges 2 times", more.Error, StringComparison.Ordinal);
        (await RunAsync(_folder["a.png"], "--model", model, "--scale", "NaN")).AssertFailed(ExitCode.BadUsage, "--scale", "NaN");
        (await RunAsync(_folder["a.png"], _folder["a.png"], "--model", model, "--out", _folder["x.png"]))
            .AssertFailed(ExitCode.BadUsage, "--out must be a folder");
        (await RunAsync(_folder["a.png"])).AssertFailed(ExitCode.BadUsage, "--model");
        (await RunAsync(_folder["a.png"], "--model", model, "--out", _folder["a.png"])).AssertFailed(ExitCode.Failed, "a.png");
    }

    private SourceImage Image(string name, int seed = 1)
    {
        var image = new SourceImage(16, 16, MadeUpUpscaler.Picture(16, 16, seed));
        PictureFile.WriteImage(image, _folder[name]);
        return image;
    }

    private static Task<MuseResult> RunAsync(params string[] args) =>
        Muse.RunAsync(["upscale", .. args, "--device", "cpu", "--cache", Muse.Cache]);
}
