using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>
/// Pictures with records of version 2, as MuseAtelier 0.1.0 wrote them: one denoised in a batch of two with every optional member of the
/// request that the command line sets, one decoded in tiles.
/// </summary>
public sealed class PictureRecordVersion2Tests(TestAtelier miniature)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Golden(string name) => Path.Combine(GoldenFiles.Folder, "pictures-version-2", name);

    [Fact]
    public void ReadRecord_OfAPictureOfABatch_HasAllOfItsValues()
    {
        PictureRecord record = PictureFile.Read(Golden("night.webp")).ReadRecord();
        var request = new PictureRequest
        {
            Prompt = "a starry night, café 夜 🌌, (gold:1.2)",
            NegativePrompt = "fog",
            EmptyNegative = EmptyNegative.Zeros,
            Seed = 4,
            NoiseSource = NoiseSource.Comfy,
            Width = 256,
            Height = 256,
            Steps = 2,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing, Karras = true },
            PromptSyntax = PromptSyntax.Plain,
            Frame = new PictureFrame(FrameStyle.Celadon, FramePlacement.Outside),
        };
        Assert.Equal(request, record.Request);
        Assert.Equal((PictureRecord.CurrentVersion, false), (record.Version, record.DecodedInFp32));
        Assert.Equal("miniature", record.Model.Name);
        Assert.Equal("95ddf659bf68a425830726cf027a4d5309806efaf596ef19265a1fd34c6e9193", record.Model.GraphsSha256);
        Assert.Equal(
            new RecordedEngine(
                "0.1.0", "ONNX Runtime 1.31.0", "X64 processor, 2 threads", "Rotate, 581.07 MiB", new BatchSlot(2, 1)),
            record.Engine);
        Assert.Equal(new RecordedEncoding(PictureFormat.WebP, 60), record.Encoding);
        Assert.Equal(["01f907c047c803f2", "98a70f0de6ca7f73", ""], record.Hashes.Noise);
        Assert.Equal(["4983db8815820ad3", "b1ce11cefd08db38", "0dea8ea773249bb5"], record.Hashes.Latents);
        Assert.Equal("59934fdfd68db6cfbc928ef50674aae68ce485b7048dcff9d61b38809fc6c669", record.Hashes.Pixels);
    }

    [Fact]
    public void ReadRecord_OfAPictureInTiles_HasItsTiles()
    {
        PictureRecord record = PictureFile.Read(Golden("lighthouse.jpg")).ReadRecord();
        Assert.Equal(("a lighthouse", 7ul, 576), (record.Request.Prompt, record.Request.Seed, record.Request.Width));
        Assert.Equal(new TileSize(32, 64), record.Engine.VaeTile);
        Assert.Equal(("Resident, 1.13 GiB", BatchSlot.Alone), (record.Engine.Plan, record.Engine.BatchSlot));
    }

    [Theory]
    [InlineData("night.webp")]
    [InlineData("lighthouse.jpg")]
    public void ToJson_OfAnOlderRecord_IsOfTheCurrentVersion(string name)
    {
        PictureRecord record = PictureFile.Read(Golden(name)).ReadRecord();
        string json = record.ToJson();
        Assert.StartsWith("{\"version\":3,", json, StringComparison.Ordinal);
        Assert.Equal(json, PictureRecord.Parse(name, json).ToJson());
        Assert.Equal(record.Request, PictureRecord.Parse(name, json).Request);
    }

    // Members that the command line cannot set.
    [Fact]
    public void Parse_OfSizeConditioning_ReadsIt()
    {
        JsonObject record = Record("night.webp");
        record["request"]!["conditioning"] = JsonNode.Parse(
            """{"originalWidth":1,"originalHeight":2,"cropLeft":3,"cropTop":4,"targetWidth":5,"targetHeight":6}""");
        Assert.Equal(new MicroConditioning(1, 2, 3, 4, 5, 6), Parse(record).Request.Conditioning);
    }

    [Fact]
    public void Parse_OfARecordWithoutAPass_TakesThePictureForOneThatWasPaintedAlone()
    {
        JsonObject record = Record("night.webp");
        Assert.Equal("""{"pictures":2,"index":1}""", record["engine"]!["pass"]!.ToJsonString());
        record["engine"]!.AsObject().Remove("pass");
        PictureRecord older = Parse(record);
        Assert.Equal(BatchSlot.Alone, older.Engine.BatchSlot);
        Assert.DoesNotContain("pass", older.ToJson(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("request", null)]
    [InlineData("request", "[]")]
    [InlineData("engine", null)]
    [InlineData("engine", "7")]
    [InlineData("engine.plan", null)]
    [InlineData("engine.plan", "7")]
    [InlineData("engine.pass", "7")]
    [InlineData("engine.pass", "null")]
    [InlineData("engine.pass.pictures", null)]
    [InlineData("engine.pass.pictures", "9")]
    [InlineData("engine.pass.batchSize", "2")]
    [InlineData("engine.pass.index", "2")]
    [InlineData("engine.batchSlot", "{\"batchSize\":2,\"index\":1}")]
    [InlineData("engine.tile", "{\"height\":64}")]
    [InlineData("engine.vaeTile", "{\"height\":64,\"width\":64}")]
    [InlineData("request.sampler", "\"euler_a\"")]
    [InlineData("request.microConditioning", "null")]
    [InlineData("request.conditioning", "{\"cropTop\":1}")]
    [InlineData("request.schedule.karras", null)]
    [InlineData("request.noiseSource", "\"no name\"")]
    [InlineData("request.seed", null)]
    [InlineData("request.dialect", "\"comfy\"")]
    [InlineData("request.promptSyntax", "\"a1111\"")]
    [InlineData("request.schedule.timesteps", "[999,1]")]
    public void Parse_OfABentRecord_ThrowsThatItIsDamaged(string member, string? value)
    {
        JsonObject record = Record("night.webp");
        string[] path = member.Split('.');
        JsonObject parent = path[..^1].Aggregate((JsonNode)record, (node, name) => node[name]!).AsObject();
        if (value is null) parent.Remove(path[^1]);
        else parent[path[^1]] = JsonNode.Parse(value);
        Assert.Throws<PictureRecordDamagedException>(() => Parse(record));
    }

    // The latents are those of the machine that painted them; on another machine the last bits may differ, and the picture looks alike.
    [Theory]
    [InlineData("night.webp")]
    [InlineData("lighthouse.jpg")]
    public async Task VerifyAsync_OfAnOlderPicture_PaintsIt(string name)
    {
        PictureRecord record = PictureFile.Read(Golden(name)).ReadRecord();
        await using Atelier suited = await miniature.OpenAsync(PictureVerifier.Suit(record, TestAtelier.Options));
        PictureVerification verification = await PictureVerifier.VerifyAsync(suited, Golden(name), null, Stop);
        Assert.NotEqual(VerificationOutcome.OtherPicture, verification.Outcome);
        Assert.NotEqual(VerificationOutcome.AnotherModel, verification.Outcome);
        Assert.True(verification.Psnr >= 25, $"{verification.Psnr:0.0} dB");
    }

    private static JsonObject Record(string name) => JsonNode.Parse(PictureFile.Read(Golden(name)).RecordJson!)!.AsObject();

    private static PictureRecord Parse(JsonObject record) => PictureRecord.Parse("a.webp", record.ToJsonString());
}
