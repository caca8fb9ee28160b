using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

public sealed class PictureRecordTests
{
    private static readonly PictureRequest Request = new()
    {
        Prompt = "夜 🌌 \"quoted\"\n\u0001",
        NegativePrompt = "fog",
        EmptyNegative = EmptyNegative.Zeros,
        Seed = ulong.MaxValue,
        NoiseSource = NoiseSource.Comfy,
        Width = 512,
        Height = 768,
        Steps = 3,
        GuidanceScale = 6.6f,
        Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing, Karras = true },
        Conditioning = new MicroConditioning(1, 2, 3, 4, 5, 6),
        Frame = new PictureFrame(FrameStyle.Celadon, FramePlacement.Outside),
    };

    [Fact]
    public void Parse_OfWhatWasWritten_IsTheSame()
    {
        PictureRecord record = SamplePicture.RecordOf(Request);
        string json = record.ToJson();
        PictureRecord back = PictureRecord.Parse("a.png", json);
        Assert.Equal(Request, back.Request);
        Assert.Equal(record.Hashes.Noise, back.Hashes.Noise);
        Assert.Equal(["ffffffffffffffff", "fffffffffffffffe", "fffffffffffffffd", ""], back.Hashes.Noise);
        Assert.Equal(json, back.ToJson());
        Assert.Contains("夜 🌌", json, StringComparison.Ordinal);
        JsonDocument.Parse(json).Dispose();
    }

    [Theory]
    [InlineData(PromptSyntax.A1111, "a1111")]
    [InlineData(PromptSyntax.Comfy, "comfy")]
    [InlineData(PromptSyntax.Plain, null)]
    public void Parse_OfAPromptSyntax_IsTheSame(PromptSyntax syntax, string? word)
    {
        string json = SamplePicture.RecordOf(Request with { PromptSyntax = syntax }).ToJson();
        // Records of plain prompts are what they were before there were other syntaxes.
        Assert.Equal(word, (string?)JsonNode.Parse(json)!["request"]!["promptSyntax"]);
        Assert.Equal(word is not null, json.Contains("promptSyntax", StringComparison.Ordinal));
        Assert.Equal(syntax, PictureRecord.Parse("a.png", json).Request.PromptSyntax);
    }

    [Theory]
    [InlineData("\"no name\"")]
    [InlineData("1")]
    public void Parse_OfAnUnknownPromptSyntax_SaysDamaged(string value)
    {
        string json = SamplePicture.RecordOf(Request with { PromptSyntax = PromptSyntax.Comfy }).ToJson();
        JsonNode record = JsonNode.Parse(json)!;
        record["request"]!["promptSyntax"] = JsonNode.Parse(value);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", record.ToJsonString()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public void Parse_OfAnotherVersion_SaysWhich(int version)
    {
        string json = $$"""{"version":{{version}},"future":true}""";
        var exception = Assert.Throws<PictureRecordVersionException>(() => PictureRecord.Parse("a.png", json));
        Assert.Equal(version, exception.Version);
        Assert.Contains("a version from 2 to 3", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_OfARecord_UsesTheFieldsWords()
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!;
        Assert.Equal(3, (int)record["version"]!);
        JsonNode request = record["request"]!;
        Assert.Equal("euler_a", (string?)request["sampler"]);
        Assert.Equal(("zeros", "comfy"), ((string?)request["emptyNegative"], (string?)request["noiseSource"]));
        Assert.Equal("""{"spacing":"trailing","karras":true}""", request["schedule"]!.ToJsonString());
        Assert.Equal("""{"style":"celadon","placement":"outside"}""", request["frame"]!.ToJsonString());
        Assert.Equal(1, (int)request["microConditioning"]!["originalWidth"]!);
        Assert.Equal("""{"batchSize":1,"index":0}""", record["engine"]!["batchSlot"]!.ToJsonString());
        Assert.Equal("""{"format":"png"}""", record["encoding"]!.ToJsonString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":2}")]
    [InlineData("{\"version\":3}")]
    public void Parse_OfNoRecord_SaysDamaged(string json) =>
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", json));

    [Theory]
    [InlineData("request", null)]
    [InlineData("hashes", null)]
    [InlineData("request.prompt", null)]
    [InlineData("request.negativePrompt", "null")]
    [InlineData("request.noiseSource", "\"no name\"")]
    [InlineData("request.noiseSource", "99")]
    [InlineData("request.frame.style", "99")]
    [InlineData("request.steps", "4")]
    [InlineData("request.steps", "1e99")]
    [InlineData("request.steps", "-1")]
    [InlineData("request.seed", "-1")]
    [InlineData("request.stepz", "4")]
    [InlineData("request.negativePrompt", null)]
    [InlineData("request.emptyNegative", null)]
    [InlineData("request.noiseSource", null)]
    [InlineData("request.seed", null)]
    [InlineData("request.width", null)]
    [InlineData("request.height", null)]
    [InlineData("request.steps", null)]
    [InlineData("request.guidanceScale", null)]
    [InlineData("request.guidanceScale", "1e400")]
    [InlineData("request.sampler", null)]
    [InlineData("request.sampler", "\"no name\"")]
    [InlineData("request.noiseSource", "1")]
    [InlineData("request.conditioning", "{}")]
    [InlineData("request.schedule", null)]
    [InlineData("request.schedule", "7")]
    [InlineData("request.schedule.spacing", null)]
    [InlineData("request.schedule.karras", null)]
    [InlineData("request.microConditioning.cropLeft", null)]
    [InlineData("engine.vaeTile", "{\"height\":0,\"width\":0}")]
    [InlineData("engine.vaeTile", "{\"height\":64,\"width\":1000000000}")]
    [InlineData("engine.vaeTile", "{\"height\":64}")]
    [InlineData("engine.device", null)]
    [InlineData("model.sha256", "\"a89f\"")]
    [InlineData("hashes.latents", "[null,null,null,null]")]
    [InlineData("hashes.pixels", "\"\"")]
    [InlineData("model.sha256", null)]
    [InlineData("hashes.latents", "[]")]
    [InlineData("hashes.algorithm", "\"md5\"")]
    [InlineData("engine.tile", "{\"height\":64,\"width\":64}")]
    [InlineData("engine.batchSlot", null)]
    [InlineData("engine.batchSlot.batchSize", "9")]
    [InlineData("engine.batchSlot.batchSize", "0")]
    [InlineData("engine.batchSlot.index", "1")]
    [InlineData("engine.batchSlot.index", "-1")]
    [InlineData("engine.version", "\"0.1\\u0001\"")]
    [InlineData("encoding.quality", "90")]
    [InlineData("encoding", "{\"format\":\"Jpeg\",\"quality\":1000}")]
    [InlineData("encoding", "{\"format\":\"Avif\"}")]
    public void Parse_OfABentRecord_SaysDamaged(string member, string? value)
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!;
        string[] path = member.Split('.');
        JsonObject parent = path[..^1].Aggregate(record, (node, name) => node[name]!).AsObject();
        if (value is null) parent.Remove(path[^1]);
        else parent[path[^1]] = JsonNode.Parse(value);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", record.ToJsonString()));
    }

    [Theory]
    [InlineData("X64 processor, 8 threads", 8)]
    [InlineData("Arm64 processor, 1 threads", 1)]
    [InlineData("NVIDIA H100 80GB HBM3", null)]
    [InlineData("X64 processor, 0 threads", null)]
    [InlineData("X64 processor, -1 threads", null)]
    [InlineData("X64 processor, 99999999999 threads", null)]
    [InlineData("X64 processor, threads", null)]
    [InlineData(" processor, 8 threads", null)]
    [InlineData("", null)]
    public void Threads_OfADevice_AreThoseOfAProcessor(string device, int? threads) =>
        Assert.Equal(threads, (SamplePicture.RecordOf(Request).Engine with { Device = device }).Threads);

    [Fact]
    public void Parse_OfAMemberTwiceOrTooDeepOrTooLong_SaysDamaged()
    {
        string json = SamplePicture.RecordOf(Request).ToJson();
        string[] hostile =
        [
            json.Insert(1, "\"version\":3,"),
            json.Replace("\"seed\":", "\"seed\":1,\"seed\":", StringComparison.Ordinal),
            json.Replace("\"prompt\":", $"\"prompt\":{new string('[', 1000)}", StringComparison.Ordinal),
            json.Replace("fog", new string('x', PictureRecord.LongestJson), StringComparison.Ordinal),
            json.Replace("fog", "\ud83c", StringComparison.Ordinal),
            json.Replace("fog", "\\ud83c", StringComparison.Ordinal),
        ];
        Assert.All(hostile, text => Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", text)));
    }

    [Fact]
    public void Parse_OfATruncatedRecord_SaysDamaged()
    {
        string json = SamplePicture.RecordOf(Request).ToJson();
        for (int length = 0; length < json.Length; length += 7)
            Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", json[..length]));
    }
}
