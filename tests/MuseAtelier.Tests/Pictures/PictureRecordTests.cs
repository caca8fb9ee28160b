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

    [Fact]
    public void Parse_OfAnotherVersion_SaysWhich() =>
        Assert.Equal(9, Assert.Throws<PictureRecordVersionException>(() => PictureRecord.Parse("a.png", "{\"version\":9,\"future\":true}")).Version);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":2}")]
    public void Parse_OfNoRecord_SaysDamaged(string json) => Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", json));

    [Theory]
    [InlineData("request", null)]
    [InlineData("hashes", null)]
    [InlineData("request.prompt", null)]
    [InlineData("request.negativePrompt", "null")]
    [InlineData("request.noiseSource", "\"Dice\"")]
    [InlineData("request.noiseSource", "99")]
    [InlineData("request.frame.style", "99")]
    [InlineData("request.steps", "4")]
    [InlineData("request.steps", "1e99")]
    [InlineData("request.steps", "-1")]
    [InlineData("request.seed", "-1")]
    [InlineData("request.stepz", "4")]
    [InlineData("model.sha256", null)]
    [InlineData("hashes.latents", "[]")]
    [InlineData("hashes.algorithm", "\"md5\"")]
    [InlineData("engine.pass.pictures", "9")]
    [InlineData("engine.pass.pictures", "0")]
    [InlineData("engine.pass.index", "1")]
    [InlineData("engine.pass.index", "-1")]
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

    [Fact]
    public void Parse_OfARecordWithoutAPass_TakesThePictureForOneThatWasPaintedAlone()
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!;
        Assert.Equal("""{"pictures":1,"index":0}""", record["engine"]!["pass"]!.ToJsonString());
        record["engine"]!.AsObject().Remove("pass");
        PictureRecord older = PictureRecord.Parse("a.png", record.ToJsonString());
        Assert.Equal(PassPlace.Alone, older.Engine.Place);
        Assert.DoesNotContain("pass", older.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfATruncatedRecord_SaysDamaged()
    {
        string json = SamplePicture.RecordOf(Request).ToJson();
        for (int length = 0; length < json.Length; length += 7) Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", json[..length]));
    }
}
