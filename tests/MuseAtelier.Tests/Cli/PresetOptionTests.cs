using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

/// <summary>Presets and variations on the command line.</summary>
public sealed class PresetOptionTests
{
    private static readonly string[] Small = ["--width", "256", "--height", "256", "--seed", "1", .. Muse.Narrow];

    [Fact]
    public async Task Render_WithAPreset_TakesItsSettingsUnlessOthersAreGiven()
    {
        using var folder = new TemporaryFolder();
        MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, "--preset", "Lightning-4", "--out", folder["a.png"]]);
        Assert.Equal(0, result.Code);
        Assert.Contains("family lightning", result.Error, StringComparison.Ordinal);
        PictureRequest request = PictureFile.Read(folder["a.png"]).ReadRecord().Request;
        Assert.Equal((SamplerName.Euler, 4, 0f), (request.Sampler, request.Steps, request.GuidanceScale));
        Assert.Equal(TimestepSpacing.Trailing, request.Schedule.Spacing);

        result = await Muse.RunAsync(
            ["replay", folder["a.png"], .. Muse.Narrow, "--preset", "hyper-2", "--steps", "3", "--out", folder["b.png"]]);
        Assert.Equal(0, result.Code);
        request = PictureFile.Read(folder["b.png"]).ReadRecord().Request;
        Assert.Equal((SamplerName.Ddim, 3, 1UL), (request.Sampler, request.Steps, request.Seed));
    }

    [Fact]
    public async Task Render_WithAnUnknownPreset_ListsThoseThatThereAre()
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--preset", "lightning-3"]);
        result.AssertFailed(2, "--preset is 'lightning-3'", "lightning-4", "tcd-8", "Did you mean lightning-");
    }

    [Fact]
    public async Task Verify_OfVariationsWithBrownianNoise_FindsTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        string[] variation = ["--variation-seed", "5", "--variation-strength", "0.3", "--noise", "a1111", "--sampler", "dpmpp_2m_sde"];
        MuseResult result = await Muse.RunAsync(
            ["render", "sea", .. Small, "--steps", "2", .. variation, "--count", "2", "--batch", "1", "--out", folder["sea.png"]]);
        Assert.Equal(0, result.Code);
        string[] files = [folder["sea-1.png"], folder["sea-2.png"]];
        PictureRecord[] records = [.. files.Select(file => PictureFile.Read(file).ReadRecord())];
        Assert.Equal([(1UL, 5UL), (1UL, 6UL)], records.Select(record => (record.Request.Seed, record.Request.VariationSeed)));
        Assert.NotEqual(records[0].Hashes.Noise[0], records[1].Hashes.Noise[0]);
        foreach (string file in files)
        {
            MuseResult verdict = await Muse.RunAsync(["verify", file, .. Muse.Narrow]);
            Assert.Equal(0, verdict.Code);
        }
    }
}
