using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Prompts of InvokeAI, in which signs and numbers behind words and groups are weights.</summary>
public sealed class CompelPromptTests
{
    [Theory]
    [InlineData("a lake at dawn", "a lake at dawn")]
    [InlineData("a lake+ at dawn", "a (lake:1.1) at dawn")]
    [InlineData("a lake++, dawn--", "a (lake:1.21), (dawn:0.81)")]
    [InlineData("(a lake)1.3 at dawn", "(a lake:1.3) at dawn")]
    [InlineData("(a lake)+ (dawn)0.5", "(a lake:1.1) (dawn:0.5)")]
    [InlineData("(a (misty)1.5 lake)1.2", "(a:1.2) (misty:1.8) (lake:1.2)")]
    [InlineData("(a lake) at dawn", "a lake at dawn")]
    [InlineData("a \\(real\\) lake", "a \\(real\\) lake")]
    [InlineData("a (lake", "a \\(lake")]
    [InlineData("sci-fi, well-lit, 1+1", "sci-fi, well-lit, 1+1")]
    [InlineData("", "")]
    public void Parse_OfAPromptOfInvokeAi_WritesItsWeightsAsComfyUis(string prompt, string expected)
    {
        string json = System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["positive_prompt"] = prompt, ["steps"] = 20, ["cfg_scale"] = 7, ["scheduler"] = "euler_a", ["seed"] = 1,
        });
        ParsedParameters parsed = PictureTexts.Parse(PictureTextsTests.Content(("invokeai_metadata", json)));
        Assert.Equal((expected, PromptSyntax.Comfy), (parsed.Request.Prompt, parsed.Request.PromptSyntax));
        bool isWeighted = expected.Contains(':', StringComparison.Ordinal);
        Assert.Equal(isWeighted, parsed.Notices.Any(notice => notice.StartsWith("InvokeAI's weights", StringComparison.Ordinal)));
    }

    [Fact]
    public void Parse_OfFunctionsAndOfHostilePrompts_NamesThemAndEndsSoon()
    {
        const string functions = """{"positive_prompt":"(\"a lake\", \"a sea\").blend(0.5, 0.5)"}""";
        ParsedParameters blend = PictureTexts.Parse(PictureTextsTests.Content(("invokeai_metadata", functions)));
        Assert.Contains(".blend(…) in a prompt", blend.NotTaken);
        string deep = $$"""{"positive_prompt":"{{new string('(', 200_000)}}a{{new string(')', 200_000)}}"}""";
        Assert.Contains('a', PictureTexts.Parse(PictureTextsTests.Content(("invokeai_metadata", deep))).Request.Prompt);
    }

    [Theory]
    [InlineData("dpmpp_2m_k", "dpmpp_2m", true)]
    [InlineData("euler_k", "euler", true)]
    [InlineData("kdpm_2_a", "dpm_2_ancestral", false)]
    [InlineData("dpmpp_2m_sde", "dpmpp_2m_sde", false)]
    [InlineData("heun", "heun", false)]
    public void Parse_OfASchedulerOfInvokeAi_TakesSamplerAndSigmas(string scheduler, string sampler, bool karras)
    {
        string json = $$"""{"positive_prompt":"a lake","scheduler":"{{scheduler}}","cfg_rescale_multiplier":0.7,"rand_device":"cuda"}""";
        PictureRequest request = PictureTexts.Parse(PictureTextsTests.Content(("invokeai_metadata", json))).Request;
        Assert.Equal((sampler, karras), (request.Sampler.Id, request.Schedule.Karras));
        Assert.Equal((0.7f, NoiseSource.A1111), (request.GuidanceRescale, request.NoiseSource));
    }
}
