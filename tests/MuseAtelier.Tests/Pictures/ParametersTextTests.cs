using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

public sealed partial class ParametersTextTests
{
    private static readonly PictureRequest Request = new()
    {
        Prompt = "a starry night, Van Gogh style\nsecond line",
        NegativePrompt = "fog, mist\nrain",
        Seed = 123456789012345,
        Width = 832,
        Height = 1216,
        Steps = 25,
        GuidanceScale = 6.5f,
        Schedule = new NoiseSchedule { Karras = true },
    };

    [Fact]
    public void Write_OfARequest_IsReadByAutomatic1111sRules()
    {
        string text = ParametersText.Write(Request, "my, model: \"x\"", SamplePicture.Sha256, "MuseAtelier 0.1.0");
        string[] lines = text.Trim().Split('\n');
        Dictionary<string, string> settings = Settings(lines[^1]);
        Assert.Equal("25", settings["Steps"]);
        Assert.Equal("Euler a", settings["Sampler"]);
        Assert.Equal("Karras", settings["Schedule type"]);
        Assert.Equal("6.5", settings["CFG scale"]);
        Assert.Equal("123456789012345", settings["Seed"]);
        Assert.Equal("832x1216", settings["Size"]);
        Assert.Equal("a89ffbd9fc", settings["Model hash"]);
        Assert.Equal("\"my, model: \\\"x\\\"\"", settings["Model"]);
        Assert.Equal("CPU", settings["RNG"]);
        Assert.Equal(["a starry night, Van Gogh style", "second line", "Negative prompt: fog, mist", "rain"], lines[..^1]);
    }

    // The library itself serializes without reflection, which trimming would remove.
    [Theory]
    [InlineData("a, \"b\": 'c' <d> & e\\f\u2028")]
    [InlineData("x:\n\t\0\u001f")]
    [InlineData("夜, \ud83c\udf03: é")]
    [InlineData("half \ud83c, pair")]
    public void Write_OfANameWithSeparators_QuotesItAsTheSerializerDoes(string name)
    {
        var quoting = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        string text = ParametersText.Write(Request, name, SamplePicture.Sha256, "MuseAtelier 0.1.0");
        Assert.Contains($", Model: {JsonSerializer.Serialize(name, quoting)}, ", text, StringComparison.Ordinal);
    }

    // By the rules of Civitai's reader: the first line that begins with "Steps: " holds the settings, every other one prompts.
    [Fact]
    public void Write_OfARequest_IsReadByCivitaisRules()
    {
        string text = ParametersText.Write(Request, "miniature", SamplePicture.Sha256, "MuseAtelier 0.1.0");
        List<string> lines = [.. text.Split('\n').Where(line => line.Trim().Length > 0)];
        string details = lines.First(line => line.StartsWith("Steps: ", StringComparison.Ordinal));
        lines.Remove(details);
        string[] prompts = string.Join('\n', lines).Split("Negative prompt:");
        Assert.Equal([Request.Prompt, Request.NegativePrompt], prompts.Select(prompt => prompt.Trim()));
        Assert.All((string[])["Resources: ", "Hashed prompt: ", "Hashed Negative prompt: "], key =>
            Assert.DoesNotContain(key, details, StringComparison.Ordinal));
        Dictionary<string, string> settings = details.Split(',').Select(part => part.Split(':'))
            .ToDictionary(part => part[0].Trim(), part => Assert.Single(part.Skip(1)).Trim());
        Assert.Equal(
            ("25", "Euler a", "6.5", "123456789012345", "a89ffbd9fc", "miniature"),
            (settings["Steps"], settings["Sampler"], settings["CFG scale"], settings["Seed"], settings["Model hash"], settings["Model"]));
    }

    public static TheoryData<PictureRequest> Requests =>
    [
        Request,
        Request with
        {
            NegativePrompt = "",
            NoiseSource = NoiseSource.A1111,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Linspace },
        },
        Request with
        {
            NoiseSource = NoiseSource.Comfy,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing },
            EmptyNegative = EmptyNegative.Zeros,
        },
        Request with { Prompt = "a (starry:1.2) [night]", PromptSyntax = PromptSyntax.A1111 },
        Request with { NegativePrompt = "(fog)", PromptSyntax = PromptSyntax.Comfy },
        Request with
        {
            Conditioning = new MicroConditioning(1, 2, 3, 4, 5, 6),
            Frame = new PictureFrame(FrameStyle.Gilded, FramePlacement.Outside),
        },
    ];

    [Theory]
    [MemberData(nameof(Requests))]
    public void Parse_OfWhatWasWritten_IsTheSameRequest(PictureRequest request)
    {
        ParsedParameters parsed = ParametersText.Parse(
            "a.png", ParametersText.Write(request, "my, model", SamplePicture.Sha256, "MuseAtelier 0.1.0"));
        Assert.Equal(request, parsed.Request);
        Assert.Equal(("my, model", "a89ffbd9fc"), (parsed.ModelName, parsed.ModelHash));
        Assert.Empty(parsed.NotTaken);
    }

    [Fact]
    public void Parse_OfEverySchedule_IsTheSameRequest()
    {
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>())
        {
            foreach (bool karras in (bool[])[false, true])
            {
                PictureRequest request = Request with { Schedule = new NoiseSchedule { Spacing = spacing, Karras = karras } };
                string text = ParametersText.Write(request, "miniature", SamplePicture.Sha256, "MuseAtelier 0.1.0");
                ParsedParameters parsed = ParametersText.Parse("a.png", text);
                Assert.Equal(request, parsed.Request);
                Assert.Empty(parsed.NotTaken);
                Assert.Empty(parsed.Notices);
            }
        }
    }

    // The program's own functions are painted, whichever its names mean.
    [Theory]
    [InlineData("Schedule type: SGM Uniform", TimestepSpacing.SgmUniform, SamplingDialect.A1111)]
    [InlineData("Schedule type: Exponential", TimestepSpacing.Exponential, SamplingDialect.A1111)]
    [InlineData("Schedule type: DDIM", TimestepSpacing.DdimUniform, SamplingDialect.A1111)]
    [InlineData("Schedule type: Beta", TimestepSpacing.Beta, SamplingDialect.A1111)]
    [InlineData("Schedule type: Align Your Steps", TimestepSpacing.AlignYourSteps, SamplingDialect.A1111)]
    [InlineData("Schedule type: Beta, Version: ComfyUI", TimestepSpacing.Beta, SamplingDialect.Comfy)]
    [InlineData("Schedule type: Automatic", TimestepSpacing.Automatic, SamplingDialect.A1111)]
    [InlineData("Schedule type: Uniform", TimestepSpacing.Normal, SamplingDialect.A1111)]
    [InlineData("Model: lake", TimestepSpacing.Normal, SamplingDialect.A1111)]
    public void Parse_OfAnotherProgramsSchedule_TakesItInTheProgramsDialect(
        string settings, TimestepSpacing spacing, SamplingDialect dialect)
    {
        ParsedParameters parsed = ParametersText.Parse(
            "a.png", $"night\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x512, {settings}");
        Assert.Equal(new NoiseSchedule { Spacing = spacing }, parsed.Request.Schedule);
        Assert.Equal(dialect, parsed.Request.Dialect);
        Assert.Empty(parsed.Notices);
        Assert.Empty(parsed.NotTaken);
    }

    [Fact]
    public void Parse_OfAnotherProgramsText_TakesWhatItCanAndNamesTheRest()
    {
        const string text =
            "masterpiece, (stars:1.3), <lora:night:0.8>\n"
            + "Negative prompt: lowres, [bad:0.5]\n"
            + "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 5.5, Seed: 42, Size: 896x1152, Model hash: 31e35c80fc, "
            + "Model: sd_xl_base_1.0, VAE: sdxl_vae.safetensors, Denoising strength: 0.4, Clip skip: 2, Hires upscale: 2, "
            + "Lora hashes: \"night: abc, dusk: def\", Version: v1.10.1";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Equal("masterpiece, (stars:1.3), <lora:night:0.8>", parsed.Request.Prompt);
        Assert.Equal("lowres, [bad:0.5]", parsed.Request.NegativePrompt);
        Assert.Equal(
            (28, 5.5f, 42ul, 896, 1152),
            (parsed.Request.Steps, parsed.Request.GuidanceScale, parsed.Request.Seed, parsed.Request.Width, parsed.Request.Height));
        Assert.Equal(SamplerName.Dpmpp2M, parsed.Request.Sampler);
        Assert.Equal(
            (NoiseSource.A1111, TimestepSpacing.Linspace, true),
            (parsed.Request.NoiseSource, parsed.Request.Schedule.Spacing, parsed.Request.Schedule.Karras));
        Assert.Equal(
            ["VAE: sdxl_vae.safetensors", "Denoising strength: 0.4", "Hires upscale: 2", "Lora hashes: night: abc, dusk: def"],
            parsed.NotTaken.Take(4));
        Assert.Contains("<lora:night:0.8>", Assert.Single(parsed.NotTaken.Skip(4)), StringComparison.Ordinal);
    }

    // A1111's hashes and Civitai's resources are JSON: their members are no settings.
    [Fact]
    public void Parse_OfSettingsInJson_TakesEachForOne()
    {
        const string resources = """[{"type":"lora","weight":0.8,"modelName":"Seed: 3, dusk"},{"type":"checkpoint"}]""";
        const string text =
            "night\n"
            + """Steps: 28, Hashes: {"model": "31e35c80fc", "vae": "63aeecb90f", "embed:a, b]": "\"}"}, """
            + $"Civitai resources: {resources}, Seed: 42, Hires prompt: [day, Size: 256x512";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Equal((28, 42ul, 256, 512), (parsed.Request.Steps, parsed.Request.Seed, parsed.Request.Width, parsed.Request.Height));
        Assert.Equal([$"Civitai resources: {resources}", "Hires prompt: [day"], parsed.NotTaken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("just a prompt")]
    [InlineData("prompt\nSteps: many, Sampler: Euler a")]
    [InlineData("prompt\nSteps: 3, Size: 512")]
    [InlineData("prompt\nSteps: 3, CFG scale: much")]
    [InlineData("prompt\nSteps: 3, Seed: -1")]
    public void Parse_OfAMalformedText_Throws(string text) =>
        Assert.Throws<ParametersTextException>(() => ParametersText.Parse("a.png", text));

    [Fact]
    public void Parse_OfHostileText_EndsSoon()
    {
        string text = "(" + new string('(', 200_000) + "\nSteps: 3, " + string.Concat(Enumerable.Repeat("x: \"\\\\\\", 50_000));
        Assert.Equal(3, ParametersText.Parse("a.png", text).Request.Steps);
        Assert.Equal(3, ParametersText.Parse("a.png", "Steps: 3, " + string.Concat(Enumerable.Repeat("x: {, ", 500_000))).Request.Steps);
    }

    // The pattern by which AUTOMATIC1111 reads settings (modules/infotext_utils.py, re_param).
    private static Dictionary<string, string> Settings(string line) =>
        Pattern().Matches(line).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);

    [GeneratedRegex("""\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)""")]
    private static partial Regex Pattern();
}
