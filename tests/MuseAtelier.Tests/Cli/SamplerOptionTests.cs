using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

public sealed class SamplerOptionTests
{
    private static readonly string[] Small =
        ["--width", "256", "--height", "256", "--steps", "2", "--seed", "1", "--noise", "comfy", "--cache", Muse.Cache];

    [Fact]
    public async Task Render_WithEachSampler_PaintsItsOwnPictureAndWritesItsName()
    {
        using var folder = new TemporaryFolder();
        var pictures = new HashSet<string>();
        foreach ((string sampler, string name) in new[] { ("euler_a", "Euler a"), ("EULER", "Euler"), ("dpmpp_2m", "DPM++ 2M") })
        {
            string file = folder[$"{sampler}.png"];
            MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, "--sampler", sampler, "--out", file]);
            Assert.Equal(0, result.Code);
            PictureFileContent content = PictureFile.Read(file);
            Assert.Contains($"Sampler: {name},", content.Parameters, StringComparison.Ordinal);
            JsonNode request = JsonNode.Parse(content.RecordJson!)!["request"]!;
            Assert.Equal(sampler.ToLowerInvariant(), request["sampler"]!.GetValue<string>());
            Assert.Equal("comfy", request["noiseSource"]!.GetValue<string>());
            Assert.True(pictures.Add(content.ReadRecord().Hashes.Pixels), $"{sampler} painted the picture of another sampler.");
        }
    }

    [Fact]
    public async Task Render_WithAnUnknownSampler_ListsThoseThatThereAre()
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--sampler", "abacus"]);
        result.AssertFailed(2, "--sampler is 'abacus'", "euler_a, euler, dpmpp_2m");
    }
}
