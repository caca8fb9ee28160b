using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

public sealed class SamplerOptionTests
{
    private static readonly string[] Small =
        ["--width", "256", "--height", "256", "--steps", "2", "--seed", "1", "--noise", "comfy", "--cache", Muse.Cache];

    [Theory]
    [InlineData("euler_a", "Euler a")]
    [InlineData("EULER", "Euler")]
    [InlineData("dpmpp_2m", "DPM++ 2M")]
    public async Task Render_WithASampler_PaintsWithItAndWritesItsName(string sampler, string name)
    {
        using var folder = new TemporaryFolder();
        MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, "--sampler", sampler, "--out", folder["sea.png"]]);
        Assert.Equal(0, result.Code);
        PictureFileContent content = PictureFile.Read(folder["sea.png"]);
        Assert.Contains($"Sampler: {name},", content.Parameters, StringComparison.Ordinal);
        JsonNode request = JsonNode.Parse(content.RecordJson!)!["request"]!;
        Assert.Equal(sampler.ToLowerInvariant(), request["sampler"]!.GetValue<string>());
        Assert.Equal("comfy", request["noiseSource"]!.GetValue<string>());
    }

    [Fact]
    public async Task Render_WithAnUnknownSampler_ListsThoseThatThereAre()
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--sampler", "abacus"]);
        result.AssertFailed(2, "--sampler is 'abacus'", "euler_a, euler, dpmpp_2m");
    }
}
