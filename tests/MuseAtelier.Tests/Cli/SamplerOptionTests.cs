using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

public sealed class SamplerOptionTests
{
    private static readonly string[] Small =
        ["--width", "256", "--height", "256", "--steps", "2", "--seed", "1", "--noise", "comfy", .. Muse.Narrow];

    // The last one evaluates the UNet twice a step.
    private static readonly NamedSampler[] Named =
    [
        new("euler_a", "Euler a", "euler_a", new("trailing", "Automatic", "trailing")),
        new("EULER", "Euler", "euler", new("trailing", "Automatic", "trailing")),
        new("DPM++ 2M", "DPM++ 2M", "dpmpp_2m", new("karras", "Karras", "linspace")),
        new("LCMScheduler", "LCM", "lcm", new("SGM_uniform", "SGM Uniform", "sgm_uniform")),
        new("dpmpp_sde_gpu", "DPM++ SDE", "dpmpp_sde", new("KL Optimal", "KL Optimal", "kl_optimal")),
    ];

    [Fact]
    public async Task Render_WithEachSamplerAndSchedule_PaintsItsOwnPictureAndWritesTheirNames()
    {
        using var folder = new TemporaryFolder();
        var pictures = new HashSet<string>();
        foreach (NamedSampler named in Named)
        {
            string file = folder[$"{named.Id}.png"];
            string[] choice = ["--sampler", named.Given, "--schedule", named.Schedule.Given];
            MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, .. choice, "--out", file]);
            Assert.Equal(0, result.Code);
            PictureFileContent content = PictureFile.Read(file);
            Assert.Contains($"Sampler: {named.Label},", content.Parameters, StringComparison.Ordinal);
            Assert.Contains($"Schedule type: {named.Schedule.Label},", content.Parameters, StringComparison.Ordinal);
            JsonNode request = JsonNode.Parse(content.RecordJson!)!["request"]!;
            Assert.Equal(named.Id, request["sampler"]!.GetValue<string>());
            Assert.Equal(named.Schedule.Id, request["schedule"]!["spacing"]!.GetValue<string>());
            Assert.Equal(named.Schedule.Given == "karras", request["schedule"]!["karras"]!.GetValue<bool>());
            Assert.Equal("comfy", request["noiseSource"]!.GetValue<string>());
            PictureRecord record = content.ReadRecord();
            Assert.Equal(named.Schedule.Given == "karras", record.Request.Schedule.Karras);
            Assert.Equal(SamplerCatalog.BuiltIn.EvaluationsOf(record.Request) + 1, record.Hashes.Latents.Count);
            Assert.True(pictures.Add(record.Hashes.Pixels), $"{named.Id} painted the picture of another sampler.");
        }
    }

    [Fact]
    public async Task Render_WithAnUnknownSampler_ListsThoseThatThereAre()
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--sampler", "abacus"]);
        result.AssertFailed(2, "--sampler is 'abacus'", "euler_a, euler, dpmpp_2m");
        result = await Muse.RunAsync(["render", "sea", "--sampler", "UniPD"]);
        result.AssertFailed(2, "--sampler is 'UniPD'", "Did you mean uni_pc");
        result = await Muse.RunAsync(["render", "sea", "--emphasis", "orignal"]);
        result.AssertFailed(2, "--emphasis is 'orignal'", "Did you mean original? muse --help");
    }

    [Theory]
    [InlineData("DPM++ 2M Karras", "dpmpp_2m with --schedule karras")]
    [InlineData("DPM++ 2M SDE Heun Exponential", "dpmpp_2m_sde_heun with --schedule exponential")]
    [InlineData("euler_sgm_uniform", "euler with --schedule sgm_uniform")]
    public async Task Render_WithAScheduleInTheSamplersName_NamesBothOptions(string name, string expected)
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--sampler", name]);
        result.AssertFailed(2, $"--sampler is '{name}'", $"Did you mean {expected}? muse --help");
    }

    [Fact]
    public async Task Render_OfASeriesWithAVariation_WritesAFileForEachPicture()
    {
        using var folder = new TemporaryFolder();
        string pictures = Directory.CreateDirectory(folder["series"]).FullName;
        string[] series = ["--count", "2", "--variation-seed", "5", "--variation-strength", "0.2", "--force"];
        MuseResult result = await Muse.RunAsync(["render", "sea", .. Small, .. series, "--out", pictures]);
        Assert.Equal(0, result.Code);
        Assert.Contains("sea-1.png: 256x256, seed 1, variation seed 5", result.Out, StringComparison.Ordinal);
        Assert.Contains("sea-1-2.png: 256x256, seed 1, variation seed 6", result.Out, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(pictures).Length);
    }

    [Fact]
    public async Task Render_WithOtherStepsThanTimesteps_IsRefused()
    {
        MuseResult result = await Muse.RunAsync(["render", "sea", "--timesteps", "999,500", "--steps", "3"]);
        result.AssertFailed(1, "the list of timesteps has 2 numbers", "one for each of the 3 steps");
    }

    [Theory]
    [InlineData("render")]
    [InlineData("replay")]
    [InlineData("plan")]
    [InlineData("bench")]
    public async Task Help_IsReadable(string command)
    {
        MuseResult result = await Muse.RunAsync(command, "--help");
        string[] options = [.. result.Lines.Where(line => line.StartsWith("  -", StringComparison.Ordinal))];
        Assert.NotEmpty(options);
        foreach (string option in options)
        {
            Assert.InRange(option.Trim().IndexOf("  ", StringComparison.Ordinal), 1, 70);
            Assert.InRange(option.Split("[default:").Length, 1, 2);
        }

        Assert.Contains("euler_a, euler, dpmpp_2m", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_WithAnotherProgramsName_CountsTheSamplersEvaluations()
    {
        MuseResult result = await Muse.RunAsync("plan", "--sampler", "DPM++ SDE", "--steps", "10", "--vram", "8GiB");
        Assert.Equal(0, result.Code);
        Assert.Contains("10 steps of 19 evaluations", result.Out, StringComparison.Ordinal);
    }

    // What is given to an option, the name in the parameters, and the name in the record.
    private sealed record NamedSampler(string Given, string Label, string Id, NamedSchedule Schedule);

    private sealed record NamedSchedule(string Given, string Label, string Id);
}
