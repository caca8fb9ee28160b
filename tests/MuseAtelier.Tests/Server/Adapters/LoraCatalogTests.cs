using System.Text.Json;
using MuseAtelier.Adapters;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Planning;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Loras;
using MuseAtelier.Tests.Server.Jobs;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Adapters;

/// <summary>The LoRAs of the server's folders: what clients are told of them, and what their names mean now and after a restart.</summary>
public sealed class LoraCatalogTests : IDisposable
{
    private readonly LoraFiles _files = new();
    private readonly ServerOptions _options;

    public LoraCatalogTests()
    {
        File.WriteAllText(_files["broken.safetensors"], "no tensors");
        AtelierOptions atelier = TestAtelier.Options with { LoraFolders = [Folder] };
        _options = new ServerOptions { Models = [], Atelier = atelier, Gallery = "/nowhere" };
    }

    private string Folder => Path.GetDirectoryName(_files.A)!;

    public void Dispose() => _files.Dispose();

    [Fact]
    public void AList_TellsNamesAndFaults_ButNoPath()
    {
        LoraCatalog catalog = new(_options);
        IReadOnlyList<ListedLora> listed = catalog.All();
        Assert.Equal(["a", "b", "broken", "convolutions"], listed.Select(lora => lora.Name));
        Assert.Equal(["LoRA"], listed[0].Families);
        Assert.Equal(4, listed[0].MostRank);
        Assert.Equal("bad-lora", listed[2].Problem!.Kind);
        string json = JsonSerializer.Serialize(new LoraAnswer(listed), WireJson.Options);
        Assert.DoesNotContain(Path.GetFileName(Folder), json, StringComparison.Ordinal);
        // A new file is there at once when it is named, and in the list on demand.
        File.Copy(_files.A, _files["later.safetensors"]);
        Assert.Equal(64, catalog.Find("later", "loras[0].name").Sha256!.Length);
        Assert.Contains(catalog.Refresh(), lora => lora.Name == "later");
    }

    [Theory]
    [InlineData("""[{"name": "../a"}]""", "bad-value", "loras[0].name")]
    [InlineData("""[{"name": "x\\a"}]""", "bad-value", "loras[0].name")]
    [InlineData("""[{"name": "A "}]""", "no-such-lora", "loras[0].name")]
    [InlineData("""[{"name": "broken"}]""", "bad-lora", "loras[0].name")]
    [InlineData("""[{"name": "a"}, {"name": "b", "strength": 101}]""", "bad-value", "loras[1].strength")]
    [InlineData("""[{"name": "a", "path": "/etc"}]""", "unknown-field", "loras[0].path")]
    [InlineData("""[{"strength": 1}]""", "bad-value", "loras[0].name")]
    [InlineData("""["a"]""", "bad-value", "loras[0]")]
    [InlineData(""" "a" """, "bad-value", "loras")]
    public void ARequest_WithAnotherLora_IsRefusedByItsField(string loras, string kind, string field)
    {
        ServerRequestException refused = Assert.Throws<ServerRequestException>(() => Read($$"""{"prompt": "p", "loras": {{loras}}}"""));
        Assert.Equal((kind, field), (refused.Problem.Kind, refused.Problem.Field));
        Assert.DoesNotContain(Folder, refused.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARequest_HasItsOwnLorasAndThoseOfItsPrompt_ByDigest()
    {
        JobRequest request = Read("""
            {"prompt": "a <lora:b:0.5:2> fox", "loras": [{"name": "a", "strength": -0.75, "textStrength": 0.25}]}
            """);
        PictureLora[] expected =
        [
            new() { Path = _files.A, Strength = -0.75f, TextStrength = 0.25f, Sha256 = DigestOf(_files.A) },
            new() { Path = _files.B, Strength = 2, TextStrength = 0.5f, Sha256 = DigestOf(_files.B), IsFromPrompt = true },
        ];
        Assert.Equal(expected, request.Picture.Loras);
        Assert.Equal(
            """[{"name":"a","strength":-0.75,"textStrength":0.25,"sha256":"DIGEST"}]""".Replace("DIGEST", DigestOf(_files.A)),
            RequestJson.Write(request.Picture)["loras"]!.ToJsonString());
        // What an answer has may be sent again.
        string again = JobJson.Write(new Job
        {
            Id = "j",
            Request = request,
            State = JobState.Waiting,
            Accepted = default,
        })["request"]!.ToJsonString(WireJson.Options);
        Assert.Equal(request.Picture, Read(again).Picture);
        Assert.Equal("no-such-lora", Assert.Throws<ServerRequestException>(() => Read("""{"prompt": "<lora:c:1>"}""")).Problem.Kind);
        Assert.Equal("prompt", Assert.Throws<ServerRequestException>(() => Read("""{"prompt": "<lora:a:much>"}""")).Problem.Field);
    }

    [Fact]
    public void ABasis_KeepsTheFilesOfItsTags_UnlessThePromptIsAnother()
    {
        PictureRequest known = Read("""{"prompt": "a <lora:b:0.5> fox", "loras": [{"name": "a"}], "seed": 4}""").Picture;
        // Records have names alone.
        PictureRequest recorded = known with
        {
            Loras = [.. known.Loras.Select(lora => lora with { Path = Path.GetFileName(lora.Path), IsReference = true })],
        };
        Assert.Equal(known, Read("""{"basis": "x"}""", recorded).Picture);
        Assert.Equal(["a"], NamesOf(Read("""{"basis": "x", "prompt": "a fox"}""", recorded)));
        Assert.Equal(["b"], NamesOf(Read("""{"basis": "x", "loras": []}""", recorded)));
        Assert.Equal(["a", "convolutions"], NamesOf(Read("""{"basis": "x", "prompt": "<lora:convolutions:1>"}""", recorded)));
        File.Copy(_files.A, _files.B, overwrite: true);
        Assert.Equal("no-such-lora", Assert.Throws<ServerRequestException>(() => Read("""{"basis": "x"}""", recorded)).Problem.Kind);
    }

    [Theory]
    [InlineData("""{"scale": 2}""", null)]
    [InlineData("""{"scale": 2, "loras": []}""", "b!")]
    [InlineData("""{"scale": 2, "loras": [{"name": "convolutions", "strength": 2}]}""", "convolutions b!")]
    [InlineData("""{"scale": 2, "prompt": "a fox"}""", "a")]
    [InlineData("""{"scale": 2, "prompt": "<lora:convolutions:2> a fox"}""", "a convolutions!")]
    [InlineData("""{"scale": 2, "prompt": "<lora:convolutions:2> a fox", "loras": []}""", "convolutions!")]
    [InlineData("""{"scale": 2, "prompt": "a <lora:b:0.5> vixen"}""", null)]
    public void ASecondPass_HasItsOwnLorasAndThoseOfItsPrompt(string hires, string? expected)
    {
        PictureRequest read = Read($$"""
            {"prompt": "a <lora:b:0.5> fox", "loras": [{"name": "a"}], "seed": 4, "width": 256, "height": 256, "hires": {{hires}}}
            """).Picture;
        Assert.Equal("a b!", Words(read.Loras));
        Assert.Equal(expected, read.Hires!.Loras is { } loras ? Words(loras) : null);
        Assert.All(HiresRules.SecondPassOf(read).Loras, lora => Assert.Equal(64, lora.Sha256!.Length));

        // What an answer has may be sent again, and a record keeps the files of its tags.
        Assert.Equal(read, Read(RequestJson.Write(read).ToJsonString()).Picture);
        HiresPass pass = read.Hires with { Loras = References(read.Hires.Loras) };
        PictureRequest recorded = read with { Loras = References(read.Loras)!, Hires = pass };
        Assert.Equal(read, Read("""{"basis": "x"}""", recorded).Picture);
        File.Copy(_files.A, _files.Convolutions, overwrite: true);
        bool isNamed = expected?.Contains("convolutions", StringComparison.Ordinal) == true;
        if (isNamed) Assert.Throws<ServerRequestException>(() => Read("""{"basis": "x"}""", recorded));
        else Assert.Equal(read, Read("""{"basis": "x"}""", recorded).Picture);
    }

    [Theory]
    [InlineData("""[{"name": "A "}]""", "no-such-lora", "hires.loras[0].name")]
    [InlineData("""[{"name": "a", "strength": 101}]""", "bad-value", "hires.loras[0].strength")]
    public void ASecondPass_WithAnotherLora_IsRefusedByItsField(string loras, string kind, string field)
    {
        ServerRequestException refused = Assert.Throws<ServerRequestException>(
            () => Read($$"""{"prompt": "p", "width": 256, "height": 256, "hires": {"scale": 2, "loras": {{loras}} } }"""));
        Assert.Equal((kind, field), (refused.Problem.Kind, refused.Problem.Field));
    }

    [Fact]
    public void AJob_WithLorasOfItsSecondPass_IsPaintedWithTheSameFiles_OrNotAtAll()
    {
        JobRequest job = Read("""
            {"prompt": "a fox", "width": 256, "height": 256, "hires": {"scale": 2, "prompt": "<lora:b:1>", "loras": [{"name": "a"}]}}
            """);
        JobSources sources = new(
            new UploadStore(new("/nowhere"), new()), new UpscalerShelf(_options), new LoraCatalog(_options), new EmbeddingShelf(_options));
        Directory.CreateDirectory(_files["moved"]);
        File.Move(_files.A, _files["moved/a.safetensors"]);
        Assert.Equal([_files["moved/a.safetensors"], _files.B], sources.Load(job).Hires!.Loras!.Select(lora => lora.Path));
        File.Delete(_files.B);
        Assert.Throws<ServerRequestException>(() => sources.Load(job));
    }

    [Fact]
    public void AJob_IsPaintedWithTheSameFiles_OrNotAtAll()
    {
        JobRequest job = Read("""{"prompt": "a <lora:b:0.5> fox", "loras": [{"name": "a"}]}""");
        JobSources sources = new(
            new UploadStore(new("/nowhere"), new()), new UpscalerShelf(_options), new LoraCatalog(_options), new EmbeddingShelf(_options));
        Directory.CreateDirectory(_files["moved"]);
        File.Move(_files.A, _files["moved/a.safetensors"]);
        PictureRequest loaded = sources.Load(job);
        Assert.Equal([_files["moved/a.safetensors"], _files.B], loaded.Loras.Select(lora => lora.Path));
        File.Copy(_files.Convolutions, _files.B, overwrite: true);
        ServerRequestException changed = Assert.Throws<ServerRequestException>(() => sources.Load(job));
        Assert.Contains("'b' is another file", changed.Problem.Message, StringComparison.Ordinal);
        File.Delete(_files.B);
        ServerRequestException gone = Assert.Throws<ServerRequestException>(() => sources.Load(job));
        Assert.Contains("'b' is not in", gone.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_LeaveTagsOut_AndUnknownNamesAreNoticed()
    {
        TokenCounts counts = await TokenCounter.CountAsync(
            "a cat <lora:a:0.5> <lora:night:1>", "", PromptSyntax.A1111, new LoraCatalog(_options), EmbeddingFolder.Of([]),
            TestContext.Current.CancellationToken);
        Assert.Equal((2, "lora-unknown"), (counts.Prompt.Tokens, Assert.Single(counts.Prompt.NoticeCodes).Code));
    }

    private static string DigestOf(string path) => Format.Sha256.Hash(File.ReadAllBytes(path));

    private static List<PictureLora>? References(IReadOnlyList<PictureLora>? loras) =>
        loras?.Select(lora => lora with { Path = Path.GetFileName(lora.Path), IsReference = true }).ToList();

    private static string Words(IReadOnlyList<PictureLora> loras) =>
        string.Join(' ', loras.Select(lora => lora.Name + (lora.IsFromPrompt ? "!" : "")));

    private static IEnumerable<string> NamesOf(JobRequest request) => request.Picture.Loras.Select(lora => lora.Name);

    private JobRequest Read(string body, PictureRequest? basis = null)
    {
        using var document = JsonDocument.Parse(body);
        return RequestReaderTests.ReaderOf(_ => basis, _options).Read(document.RootElement);
    }
}
