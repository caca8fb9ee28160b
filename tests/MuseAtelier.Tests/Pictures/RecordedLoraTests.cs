using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Pictures;

/// <summary>LoRAs and embeddings in records and in AUTOMATIC1111's text, and the files that they are found in again.</summary>
public sealed class RecordedLoraTests : IDisposable
{
    private const string Short = SamplePicture.ShortHash;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ToJson_OfAPictureWithLoras_NamesThemByDigestAndNotByPath()
    {
        string path = Lora("secret/ink.v2.safetensors", 1);
        PictureRecord record = Record(path, out string digest);
        string json = record.ToJson();
        Assert.DoesNotContain("secret", json, StringComparison.Ordinal);
        string expected = $$"""
            "loras":[{"name":"ink.v2","strength":0.5,"sha256":"{{digest}}","textStrength":0.25,"shortHash":"{{Short}}"},
            {"name":"ink.v2","strength":-1,"sha256":"{{digest}}","shortHash":"{{Short}}","fromPrompt":true}]
            """.ReplaceLineEndings("");
        Assert.Contains(expected, json, StringComparison.Ordinal);
        Assert.Contains($$""" "embeddings":[{"name":"calm","sha256":"{{SamplePicture.Sha256}}"}]""".Trim(), json, StringComparison.Ordinal);
        PictureRecord read = PictureRecord.Parse("a.png", json);
        Assert.Equal(json, read.ToJson());
        Assert.Equal(["ink.v2", "ink.v2"], read.Request.Loras.Select(lora => Path.GetFileNameWithoutExtension(lora.Path)));
    }

    [Fact]
    public void ApplyTo_OfARecordedRequest_FindsTheFilesByNameAndDigest()
    {
        PictureRequest request = Read(Record(Lora("a/ink.safetensors", 1), out _));
        string other = Lora("b/ink.safetensors", 2);
        var folder = new RequestSources { LoraFolders = [_folder["."]] };
        Assert.Equal([_folder["./a/ink.safetensors"], _folder["./a/ink.safetensors"]],
            folder.ApplyTo(request).Loras.Select(lora => lora.Path), (one, two) => Path.GetFullPath(one) == Path.GetFullPath(two));
        string renamed = _folder["renamed.safetensors"];
        File.Move(_folder["a/ink.safetensors"], renamed);
        Assert.All(new RequestSources { LoraPaths = [other, renamed] }.ApplyTo(request).Loras, lora => Assert.Equal(renamed, lora.Path));
        SourceMismatchException mismatch = Assert.Throws<SourceMismatchException>(() => folder.ApplyTo(request));
        Assert.Equal("LoRA", mismatch.Role);
        Assert.Contains("b/ink.safetensors", mismatch.Message.Replace('\\', '/'), StringComparison.Ordinal);
        File.Delete(other);
        Assert.Equal("ink", Assert.Throws<LoraMissingException>(() => folder.ApplyTo(request)).Name);
        Assert.Equal("ink", Assert.Throws<LoraMissingException>(() => new RequestSources().ApplyTo(request)).Name);
        Assert.Throws<LoraMissingException>(() => new RequestSources { LoraPaths = [_folder["none"]] }.ApplyTo(request));
    }

    // The tags of a recorded prompt are what they were, whatever folders there are now.
    [Fact]
    public void Parse_OfARecordWithoutLoras_KeepsTagsAsText()
    {
        PictureRequest text = Read(SamplePicture.RecordOf(new PictureRequest { Prompt = "<lora:ink:1> sea", Steps = 1 }));
        Lora("ink.safetensors", 1);
        var resolved = MuseAtelier.Adapters.LoraPrompts.Resolve(text, [_folder["."]]);
        Assert.Empty(resolved.Request.Loras);
        Assert.Equal(text.Prompt, MuseAtelier.Adapters.LoraTags.TextOf(resolved.Request));
    }

    [Theory]
    [InlineData("\"name\":\"ink\"", "\"name\":\"../ink\"", "no legal name")]
    [InlineData("\"strength\":0.5", "\"strength\":1e30", "out of range")]
    [InlineData("\"textStrength\":0.25", "\"textStrength\":-101", "out of range")]
    [InlineData("\"shortHash\":\"0123456789ab\"", "\"shortHash\":\"xyz\"", "no digest")]
    [InlineData("\"embeddings\":[{\"name\":\"calm\"", "\"embeddings\":[{\"name\":\"a/b\"", "embeddings")]
    [InlineData("\"fromPrompt\":true", "\"fromPrompt\":1", "")]
    [InlineData("\"loras\":[{", "\"loras\":[null,{", "LoRAs")]
    public void Parse_OfADamagedRecord_IsRefused(string part, string damaged, string reason)
    {
        string json = Record(Lora("ink.safetensors", 1), out _).ToJson();
        Assert.Contains(part, json, StringComparison.Ordinal);
        string changed = json.Replace(part, damaged, StringComparison.Ordinal);
        PictureRecordDamagedException exception =
            Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", changed));
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_OfAPictureWithLoras_HasTagsAndDigestsAsAutomatic1111()
    {
        PictureRecord record = Record(Lora("ink.safetensors", 1), out _);
        string text = MuseAtelier.Pictures.Metadata.MetadataTexts.Of(record, "").Parameters!;
        Assert.StartsWith("<lora:ink:-1> a lake<lora:ink:0.25:0.5>\nSteps: ", text, StringComparison.Ordinal);
        Assert.Contains($", Lora hashes: \"ink: {Short}\", TI hashes: \"calm: {SamplePicture.Sha256[..12]}\", ", text,
            StringComparison.Ordinal);
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Equal([("ink", Short, true), ("ink", Short, true)], parsed.Loras.Select(lora => (lora.Name, lora.Hash, lora.IsInPrompt)));
        Assert.Equal([$"Lora hashes: ink: {Short}"], parsed.NotTakenWithoutLoras);
        Assert.Equal([$"TI hashes: calm: {SamplePicture.Sha256[..12]}"], parsed.NotTakenWithoutEmbeddings);
    }

    [Fact]
    public void Text_InAnotherSyntax_HasTheTagsInASettingOfItsOwn()
    {
        var request = new PictureRequest
        {
            Prompt = "a lake",
            PromptSyntax = PromptSyntax.Comfy,
            Loras = [new PictureLora { Path = "/x/ink.safetensors", Strength = 0.5f, TextStrength = 0 }, new PictureLora { Path = "a:b" }],
        };
        string text = ParametersText.Write(request, "m", "", "MuseAtelier 0.1.0");
        Assert.StartsWith("a lake\nSteps", text, StringComparison.Ordinal);
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        ParsedLora lora = Assert.Single(parsed.Loras);
        Assert.Equal(("ink", 0.5f, 0f, false), (lora.Name, lora.Strength, lora.TextStrength, lora.IsInPrompt));
        Assert.Equal(["Loras: <lora:ink:0:0.5>"], parsed.NotTaken);
    }

    // Null: those of the first pass. Records name the files by name and digest, and the text by tags.
    [Theory]
    [InlineData(PromptSyntax.A1111, "<lora:ink:0.5> sea", null, null)]
    [InlineData(PromptSyntax.A1111, "<lora:ink:0.5> sea", "<lora:mist:2> lake", "mist:2!")]
    [InlineData(PromptSyntax.A1111, "<lora:ink:0.5> sea", "lake", "")]
    [InlineData(PromptSyntax.A1111, "sea", "lake", "mist:2")]
    [InlineData(PromptSyntax.Comfy, "sea", "lake", "mist:2")]
    [InlineData(PromptSyntax.Comfy, "sea", null, "mist:2")]
    [InlineData(PromptSyntax.Comfy, "sea", null, "")]
    [InlineData(PromptSyntax.Comfy, "sea", null, null)]
    public void ToJsonAndText_OfASecondPass_KeepItsLoras(PromptSyntax syntax, string first, string? second, string? loras)
    {
        string ink = Lora("ink.safetensors", 1), mist = Lora("mist.safetensors", 2);
        PictureLora[] later = loras is null or "" ? [] :
            [new PictureLora { Path = mist, Strength = 2, IsFromPrompt = loras.EndsWith('!') }];
        bool isTagged = first.Contains('<', StringComparison.Ordinal);
        var request = new PictureRequest
        {
            Prompt = first,
            PromptSyntax = syntax,
            Steps = 1,
            HasFinalLoras = isTagged,
            Loras = [new PictureLora { Path = ink, Strength = 0.5f, IsFromPrompt = isTagged }],
            Hires = new HiresPass
            {
                Scale = 1.5f,
                Steps = 1,
                Prompt = second,
                Loras = loras is null ? null : later,
                HasFinalLoras = second is not null && isTagged,
            },
        };
        UsedLora[]? used = loras is null ? null : [.. later.Select(lora => Used(lora.Path, 2))];
        using Picture picture = SamplePicture.Of(request, loras: [Used(ink, 0.5f)], secondPassLoras: used);
        PictureRecord record = PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png));
        PictureRequest read = new RequestSources { LoraFolders = [_folder["."]] }.ApplyTo(Read(record));
        Assert.Equal(record.ToJson(), (record with { Request = read }).ToJson());
        Assert.Equal(Words(HiresRules.SecondPassOf(request).Loras), Words(HiresRules.SecondPassOf(read).Loras));
        Assert.Equal(request.Hires.Loras is null, read.Hires!.Loras is null);
        // The record's request is painted as it is, whatever its tags mean now.
        Assert.Same(read, MuseAtelier.Adapters.LoraPrompts.Resolve(read, [_folder["."]]).Request);

        string text = MuseAtelier.Pictures.Metadata.MetadataTexts.Of(record, "").Parameters!;
        PictureRequest parsed = ParametersText.Parse("a.png", text).WithLoras([_folder["."]]).Request;
        Assert.Equal(Words(request.Loras), Words(parsed.Loras));
        Assert.Equal(Words(HiresRules.SecondPassOf(request).Loras), Words(HiresRules.SecondPassOf(parsed).Loras));
        Assert.Equal(loras is "mist:2" or "mist:2!", text.Contains($"mist: {Short}", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_OfASecondPassWithADamagedLora_IsRefused()
    {
        string ink = Lora("ink.safetensors", 1);
        PictureLora lora = new() { Path = ink, Sha256 = SamplePicture.Sha256 };
        var request = new PictureRequest { Prompt = "sea", Steps = 1, Hires = new HiresPass { Scale = 1.5f, Loras = [lora] } };
        using Picture picture = SamplePicture.Of(request, secondPassLoras: [Used(ink, 1)]);
        string json = PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png)).ToJson();
        Assert.Contains("\"name\":\"ink\"", json, StringComparison.Ordinal);
        (string, string)[] damages =
        [
            ("\"name\":\"ink\"", "\"name\":\"../ink\""),
            ("\"loras\":[", "\"loras\":[null,"),
            ("\"strength\":1,\"sha", "\"strength\":1e9,\"sha"),
        ];
        foreach ((string part, string damaged) in damages)
        {
            Assert.Contains(part, json, StringComparison.Ordinal);
            string changed = json.Replace(part, damaged, StringComparison.Ordinal);
            Assert.Throws<PictureRecordDamagedException>(() => PictureRecord.Parse("a.png", changed));
        }
    }

    private static UsedLora Used(string path, float strength) => new()
    {
        Name = Path.GetFileNameWithoutExtension(path),
        Sha256 = MuseAtelier.Adapters.LoraFolder.DigestOf(path),
        Strength = strength,
        TextStrength = strength,
    };

    private static string Words(IReadOnlyList<PictureLora> loras) =>
        string.Join(' ', loras.Select(lora => FormattableString.Invariant($"{lora.Name}:{lora.Strength}")));

    private static PictureRequest Read(PictureRecord record) => PictureRecord.Parse("a.png", record.ToJson()).Request;

    private string Lora(string place, float number)
    {
        string path = _folder[place];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = new RawCheckpoint();
        file.SetHalves("lora_unet_x.alpha", [number], []);
        return file.Write(path);
    }

    private static PictureRecord Record(string path, out string digest)
    {
        digest = MuseAtelier.Adapters.LoraFolder.DigestOf(path);
        string name = Path.GetFileNameWithoutExtension(path);
        var request = new PictureRequest
        {
            Prompt = $"<lora:{name}:-1> a lake",
            Steps = 1,
            Loras =
            [
                new PictureLora { Path = path, Strength = 0.5f, TextStrength = 0.25f },
                new PictureLora { Path = path, Strength = -1, IsFromPrompt = true },
            ],
        };
        string sha256 = digest;
        UsedLora[] used = [.. request.Loras.Select(lora => new UsedLora
        {
            Name = name,
            Sha256 = sha256,
            Strength = lora.Strength,
            TextStrength = lora.TextStrength ?? lora.Strength,
        })];
        using Picture picture = SamplePicture.Of(
            request, loras: used, embeddings: [new UsedEmbedding { Name = "calm", Sha256 = SamplePicture.Sha256 }]);
        return PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png));
    }
}
