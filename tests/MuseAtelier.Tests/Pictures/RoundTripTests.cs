using System.Text.Json.Nodes;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Requests that go through a text or a record are the same afterwards, whatever their members are.</summary>
public sealed class RoundTripTests
{
    private const int Requests = 500;

    [Fact]
    public void Parse_OfTheTextOfAnyRequest_IsTheRequest()
    {
        foreach (PictureRequest request in RandomRequests.Of(1, Requests))
        {
            string text = ParametersText.Write(request, "miniature", SamplePicture.Sha256, "MuseAtelier 0.1.0");
            ParsedParameters parsed = ParametersText.Parse("a.png", text);
            Assert.Equal(request, parsed.Request);
            Assert.Empty(parsed.NotTaken);
            Assert.Empty(parsed.Notices);
        }
    }

    [Fact]
    public void Parse_OfTheRecordOfAnyRequest_IsTheRequest()
    {
        foreach (PictureRequest request in RandomRequests.Of(2, Requests))
        {
            // The evaluations of a sampler that is registered elsewhere are not known, so they are not compared with the sample's hashes.
            PictureRequest own = request with { Sampler = new SamplerName("own") };
            string json = SamplePicture.RecordOf(own).ToJson();
            PictureRecord record = PictureRecord.Parse("a.png", json);
            Assert.Equal(own, record.Request);
            Assert.Equal(json, record.ToJson());
        }
    }

    // AUTOMATIC1111 and Forge read these names (modules/infotext_utils.py and the infotext names of modules/shared_options.py).
    [Fact]
    public void Write_OfARequest_UsesAutomatic1111sNames()
    {
        var request = new PictureRequest
        {
            Prompt = "night BREAK sea",
            Sampler = SamplerName.Ddim,
            Eta = 0.5f,
            ClipSkip = 3,
            VariationSeed = 7,
            VariationStrength = 0.25f,
            Emphasis = PromptEmphasis.NoNorm,
            Prediction = ModelPrediction.VelocityZeroSnr,
            GuidanceRescale = 0.7f,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.SgmUniform },
            NoiseSource = NoiseSource.A1111,
        };
        string line = ParametersText.Write(request, "m", "", "MuseAtelier 0.1.0").Split('\n')[^1];
        string[] settings =
        [
            "Schedule type: SGM Uniform", "RNG: NV", "Variation seed: 7", "Variation seed strength: 0.25", "Clip skip: 3", "Eta DDIM: 0.5",
            "Emphasis: No norm", "Pad conds: True", "Noise Schedule: Zero Terminal SNR", "CFG Rescale: 0.7",
        ];
        Assert.All(settings, setting => Assert.Contains($", {setting},", line, StringComparison.Ordinal));
        string plain = ParametersText.Write(new PictureRequest { Prompt = "(night)", PromptSyntax = PromptSyntax.Plain }, "m", "", "1");
        Assert.Contains(", Emphasis: None,", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("Pad conds", plain, StringComparison.Ordinal);
    }

    // Texts of this project from before there were dialects and other syntaxes than plain.
    [Fact]
    public void Parse_OfAnOlderTextOfThisProject_IsWhatItWas()
    {
        const string settings = "Steps: 20, Sampler: Euler a, Schedule type: {0}, CFG scale: 7, Seed: 5, Size: 512x512, RNG: CPU";
        const string version = ", Version: MuseAtelier 0.1.0";
        PictureRequest older = Request("Automatic");
        Assert.Equal((PromptSyntax.Plain, SamplingDialect.Diffusers), (older.PromptSyntax, older.Dialect));
        Assert.Equal(TimestepSpacing.Linspace, older.Schedule.Spacing);
        Assert.Equal((SamplingDialect.Comfy, TimestepSpacing.Beta), (Request("Beta").Dialect, Request("Beta").Schedule.Spacing));

        static PictureRequest Request(string schedule) => ParametersText.Parse(
            "a.png", "a (lake)\n" + settings.Replace("{0}", schedule, StringComparison.Ordinal) + version).Request;
    }

    [Theory]
    [InlineData("linspace", SamplingDialect.Diffusers)]
    [InlineData("leading", SamplingDialect.Diffusers)]
    [InlineData("beta", SamplingDialect.Comfy)]
    [InlineData("kl_optimal", SamplingDialect.Comfy)]
    [InlineData("align_your_steps", SamplingDialect.Comfy)]
    public void Parse_OfARecordWithoutTheLaterMembers_IsWhatItWas(string spacing, SamplingDialect dialect)
    {
        var request = new PictureRequest { Prompt = "a (lake)", PromptSyntax = PromptSyntax.Plain, Steps = 3 };
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(request).ToJson())!;
        record["request"]!.AsObject().Remove("dialect");
        record["request"]!["schedule"]!["spacing"] = spacing;
        PictureRequest older = PictureRecord.Parse("a.png", record.ToJsonString()).Request;
        Assert.Equal(request with { Dialect = dialect, Schedule = older.Schedule }, older);
        Assert.Equal(spacing, (string?)JsonNode.Parse(SamplePicture.RecordOf(older).ToJson())!["request"]!["schedule"]!["spacing"]);
    }

    // What a usual request leaves out of its record.
    [Fact]
    public void ToJson_OfAUsualRequest_HasNoneOfTheLaterMembers()
    {
        string json = SamplePicture.RecordOf(new PictureRequest { Prompt = "night" }).ToJson();
        JsonObject request = JsonNode.Parse(json)!["request"]!.AsObject();
        string[] expected =
        [
            "prompt", "negativePrompt", "promptSyntax", "emptyNegative", "dialect", "seed", "noiseSource", "width", "height", "steps",
            "guidanceScale", "sampler", "schedule",
        ];
        Assert.Equal(expected, request.Select(member => member.Key));
        Assert.Equal("automatic", (string?)request["schedule"]!["spacing"]);
    }

    [Theory]
    [InlineData("variationStrength", "1e400")]
    [InlineData("variationStrength", "\"NaN\"")]
    [InlineData("variationStrength", "1.5")]
    [InlineData("variationStrength", "-0.1")]
    [InlineData("variationSeed", "-1")]
    [InlineData("eta", "2")]
    [InlineData("eta", "-1e400")]
    [InlineData("guidanceRescale", "1.01")]
    [InlineData("guidanceFrom", "-1")]
    [InlineData("guidanceTo", "9")]
    [InlineData("clipSkip", "0")]
    [InlineData("clipSkip", "13")]
    [InlineData("commaBacktrack", "76")]
    [InlineData("emphasis", "\"loud\"")]
    [InlineData("emphasis", "1")]
    [InlineData("dialect", "\"forge\"")]
    [InlineData("prediction", "\"guess\"")]
    [InlineData("prediction", "77")]
    [InlineData("schedule", """{"spacing":"lcm","karras":false,"timesteps":[]}""")]
    [InlineData("schedule", """{"spacing":"lcm","karras":false,"timesteps":[1,2,3]}""")]
    [InlineData("schedule", """{"spacing":"lcm","karras":false,"timesteps":[999,500]}""")]
    [InlineData("schedule", """{"spacing":"lcm","karras":false,"timesteps":[1000,500,1]}""")]
    [InlineData("schedule", """{"spacing":"lcm","karras":false,"timesteps":["999",500,1]}""")]
    public void Parse_OfAHostileMember_SaysDamaged(string member, string value)
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(new PictureRequest { Prompt = "night", Steps = 3 }).ToJson())!;
        record["request"]![member] = JsonNode.Parse(value);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", record.ToJsonString()));
    }

    [Fact]
    public void Parse_OfAMillionTimesteps_SaysDamagedSoon()
    {
        string json = SamplePicture.RecordOf(new PictureRequest { Prompt = "night", Steps = 3 }).ToJson();
        string timesteps = string.Join(',', Enumerable.Repeat("9", 1_000_000));
        string hostile = json.Replace("\"karras\":false", $"\"karras\":false,\"timesteps\":[{timesteps}]", StringComparison.Ordinal);
        Assert.NotEqual(json, hostile);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", hostile));
    }
}
