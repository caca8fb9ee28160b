using System.Text.Json.Nodes;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Sources, masks and second passes in records.</summary>
public sealed class SourceRecordTests
{
    private static readonly SourceImage Image = new(3, 2, new byte[18]) { Name = "photo.png" };
    private static readonly MaskImage Mask = new(3, 2, new byte[6]) { Name = "mask.png" };

    private static readonly PictureRequest Request = new()
    {
        Prompt = "a lake",
        Steps = 3,
        Source = new PictureSource(Image)
        {
            Fit = SourceFit.Pad,
            Strength = 0.45f,
            Extend = new PictureMargins(1, 2, 3, 4),
            Mask = new InpaintMask(Mask) { Blur = 9, Content = MaskedContent.Noise, OnlyMaskedPadding = 32, PasteBack = false },
        },
        Hires = new HiresPass
        {
            Scale = 1.5f,
            Strength = 0.35f,
            Steps = 7,
            Upscaler = HiresUpscaler.LatentBicubic,
            Prompt = "a lake, sharp",
            NegativePrompt = "blur",
            Sampler = SamplerName.Dpmpp2M,
            Schedule = new NoiseSchedule { Karras = true },
            GuidanceScale = 4,
        },
    };

    [Fact]
    public void Parse_OfWhatWasWritten_HasReferencesToTheImages()
    {
        string json = SamplePicture.RecordOf(Request).ToJson();
        PictureRequest back = PictureRecord.Parse("a.png", json).Request;
        Assert.Equal(Request, back);
        Assert.Equal((false, "photo.png", 3, 2), (back.Source!.Image.HasPixels, back.Source.Image.Name, back.Source.Image.Width, 2));
        Assert.Equal((false, "mask.png"), (back.Source.Mask!.Image.HasPixels, back.Source.Mask.Image.Name));
        Assert.Equal(json, PictureRecord.Parse("a.png", json).ToJson());
    }

    [Fact]
    public void ToJson_OfASource_HoldsDigestSizeAndNameAlone()
    {
        JsonNode request = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!["request"]!;
        Assert.Equal(
            $$"""{"sha256":"{{Image.Sha256}}","width":3,"height":2,"name":"photo.png"}""", request["source"]!["image"]!.ToJsonString());
        Assert.Equal("""{"left":1,"top":2,"right":3,"bottom":4}""", request["source"]!["extend"]!.ToJsonString());
        Assert.Equal(("pad", "noise"), ((string?)request["source"]!["fit"], (string?)request["source"]!["mask"]!["content"]));
        Assert.Equal("""{"id":"latent-bicubic"}""", request["hires"]!["upscaler"]!.ToJsonString());
    }

    [Fact]
    public void ToJson_OfUsualSettings_LeavesThemOut()
    {
        PictureRequest usual = Request with { Source = new PictureSource(Image), Hires = new HiresPass() };
        JsonObject request = JsonNode.Parse(SamplePicture.RecordOf(usual).ToJson())!["request"]!.AsObject();
        Assert.Equal(["image", "fit", "strength"], request["source"]!.AsObject().Select(member => member.Key));
        Assert.Equal(["scale", "strength", "upscaler"], request["hires"]!.AsObject().Select(member => member.Key));
        PictureRequest plain = Request with { Source = null, Hires = null };
        request = JsonNode.Parse(SamplePicture.RecordOf(plain).ToJson())!["request"]!.AsObject();
        Assert.False(request.ContainsKey("source") || request.ContainsKey("hires"));
    }

    [Theory]
    [InlineData("/home/me/photo.png", "photo.png")]
    [InlineData("""C:\pictures\photo.png""", "photo.png")]
    [InlineData("夜 🌌.webp", "夜 🌌.webp")]
    [InlineData("two\nlines.png", null)]
    [InlineData("half \ud83c.png", null)]
    [InlineData("folder/", null)]
    public void ToJson_OfAName_KeepsNoFolder(string name, string? recorded)
    {
        var image = new SourceImage(3, 2, new byte[18]) { Name = name };
        string json = SamplePicture.RecordOf(Request with { Source = new PictureSource(image) }).ToJson();
        Assert.Equal(recorded, (string?)JsonNode.Parse(json)!["request"]!["source"]!["image"]!["name"]);
        Assert.Equal(recorded, PictureRecord.Parse("a.png", json).Request.Source!.Image.Name);
    }

    [Fact]
    public void Parse_OfAnUpscalersModel_HasItsNameAndDigest()
    {
        HiresUpscaler model = HiresUpscaler.Model("/models/4x.pth") with { Sha256 = SamplePicture.Sha256 };
        string json = SamplePicture.RecordOf(Request with { Hires = new HiresPass { Upscaler = model } }).ToJson();
        Assert.DoesNotContain("/models", json, StringComparison.Ordinal);
        HiresUpscaler back = PictureRecord.Parse("a.png", json).Request.Hires!.Upscaler;
        Assert.Equal(("model", "4x.pth", SamplePicture.Sha256), (back.Id, back.Path, back.Sha256));
    }

    [Theory]
    [InlineData("source.image.sha256", "\"abc\"")]
    [InlineData("source.image.sha256", null)]
    [InlineData("source.image.width", "0")]
    [InlineData("source.image.width", "-3")]
    [InlineData("source.image.width", "2000000000")]
    [InlineData("source.image.height", "\"2\"")]
    [InlineData("source.image.name", "\"../photo.png\"")]
    [InlineData("source.image.name", "\"two\\nlines\"")]
    [InlineData("source.image.path", "\"photo.png\"")]
    [InlineData("source.image", null)]
    [InlineData("source.fit", "\"squash\"")]
    [InlineData("source.fit", "1")]
    [InlineData("source.strength", "1.5")]
    [InlineData("source.strength", "-0.1")]
    [InlineData("source.strength", "1e99")]
    [InlineData("source.strength", null)]
    [InlineData("source.extend.left", "-1")]
    [InlineData("source.extend.right", "2049")]
    [InlineData("source.extend.bottom", null)]
    [InlineData("source.mask.image.sha256", "\"ABC\"")]
    [InlineData("source.mask.blur", "65")]
    [InlineData("source.mask.content", "\"soup\"")]
    [InlineData("source.mask.onlyMaskedPadding", "1025")]
    [InlineData("source.mask.pasteBack", "\"on\"")]
    [InlineData("source.mask.pasteBack", null)]
    [InlineData("hires.scale", "1")]
    [InlineData("hires.scale", "9")]
    [InlineData("hires.scale", "1e99")]
    [InlineData("hires.strength", "2")]
    [InlineData("hires.steps", "0")]
    [InlineData("hires.steps", "1001")]
    [InlineData("hires.guidanceScale", "1e99")]
    [InlineData("hires.sampler", "\"\"")]
    [InlineData("hires.schedule.spacing", "\"none\"")]
    [InlineData("hires.upscaler.id", "\"magic\"")]
    [InlineData("hires.upscaler.id", "\"model\"")]
    [InlineData("hires.upscaler.name", "\"4x.pth\"")]
    [InlineData("hires.upscaler.sha256", "\"abc\"")]
    [InlineData("hires.upscaler", "\"latent\"")]
    [InlineData("hires.upscaler", null)]
    public void Parse_OfABentSource_SaysDamaged(string member, string? value)
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!;
        JsonObject parent = record["request"]!.AsObject();
        string[] path = member.Split('.');
        foreach (string name in path[..^1]) parent = parent[name]!.AsObject();
        parent.Remove(path[^1]);
        if (value is not null) parent[path[^1]] = JsonNode.Parse(value);
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", record.ToJsonString()));
    }

    [Fact]
    public void Parse_OfAnEscapedUpscaler_SaysDamaged()
    {
        HiresUpscaler model = HiresUpscaler.Model("4x.pth") with { Sha256 = SamplePicture.Sha256 };
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request with { Hires = new HiresPass { Upscaler = model } }).ToJson())!;
        record["request"]!["hires"]!["upscaler"]!["name"] = "../../4x.pth";
        Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", record.ToJsonString()));
    }

    [Theory]
    [InlineData("source")]
    [InlineData("hires")]
    public void Parse_OfVersion2WithALaterMember_SaysDamaged(string member)
    {
        JsonNode record = JsonNode.Parse(SamplePicture.RecordOf(Request).ToJson())!;
        JsonNode value = record["request"]![member]!.DeepClone();
        var old = new JsonObject { ["version"] = 2, ["request"] = new JsonObject { [member] = value } };
        var exception = Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", old.ToJsonString()));
        Assert.Contains($"has no member {member}", exception.Message, StringComparison.Ordinal);
    }
}
