using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Sampling;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>Requests of the page's own API.</summary>
public sealed class RequestReaderTests
{
    [Fact]
    public void APrompt_IsEnough()
    {
        JobRequest request = Read("""{"prompt": "a heron"}""");
        Assert.Equal(new PictureRequest { Prompt = "a heron", Seed = request.Picture.Seed }, request.Picture);
        Assert.Equal((1, PictureFormat.Png, null), (request.Count, request.Format, request.Quality));
        // Two drawn seeds of 32 bits are equal once in four thousand million times.
        Assert.NotEqual(Read("""{"prompt": ""}""").Picture.Seed, request.Picture.Seed);
    }

    [Fact]
    public void AllFields_AreRead()
    {
        JobRequest request = Read("""
            {
              "prompt": "p", "negativePrompt": "n", "syntax": "comfy", "width": 512, "height": 768, "steps": 12, "guidance": 5.5,
              "sampler": "DPM++ 2M", "schedule": "Karras", "seed": "18446744073709551615", "count": 4, "frame": "ebony",
              "model": "miniature", "format": "webp", "quality": 80, "clipSkip": 3, "eta": 0.5, "noise": "a1111",
              "variationSeed": 9, "variationStrength": 0.25, "guidanceRescale": 0.7
            }
            """);
        var expected = new PictureRequest
        {
            Prompt = "p",
            NegativePrompt = "n",
            PromptSyntax = PromptSyntax.Comfy,
            Width = 512,
            Height = 768,
            Steps = 12,
            GuidanceScale = 5.5f,
            Sampler = SamplerName.Dpmpp2M,
            Schedule = ScheduleCatalog.Find("karras")!,
            Seed = ulong.MaxValue,
            Frame = new PictureFrame(FrameStyle.Ebony),
            ClipSkip = 3,
            Eta = 0.5f,
            NoiseSource = NoiseSource.A1111,
            VariationSeed = 9,
            VariationStrength = 0.25f,
            GuidanceRescale = 0.7f,
        };
        Assert.Equal(expected, request.Picture);
        Assert.Equal((4, "miniature", PictureFormat.WebP, 80), (request.Count, request.Model, request.Format, request.Quality));
    }

    [Theory]
    [InlineData("[]", "bad-json", null)]
    [InlineData("""{"prompt": "a", "stpes": 3}""", "unknown-field", "stpes")]
    [InlineData("{}", "bad-value", "prompt")]
    [InlineData("""{"prompt": 3}""", "bad-value", "prompt")]
    [InlineData("""{"prompt": "\ud800"}""", "bad-value", "prompt")]
    [InlineData("""{"prompt": "a", "width": 257}""", "bad-value", "width")]
    [InlineData("""{"prompt": "a", "height": 4104}""", "bad-value", "height")]
    [InlineData("""{"prompt": "a", "steps": 0}""", "bad-value", "steps")]
    [InlineData("""{"prompt": "a", "steps": 1.5}""", "bad-value", "steps")]
    [InlineData("""{"prompt": "a", "steps": "30"}""", "bad-value", "steps")]
    [InlineData("""{"prompt": "a", "guidance": 1e400}""", "bad-value", "guidance")]
    [InlineData("""{"prompt": "a", "guidance": 0.5}""", "bad-value", "guidance")]
    [InlineData("""{"prompt": "a", "seed": -1}""", "bad-value", "seed")]
    [InlineData("""{"prompt": "a", "seed": "1e3"}""", "bad-value", "seed")]
    [InlineData("""{"prompt": "a", "count": 65}""", "bad-value", "count")]
    [InlineData("""{"prompt": "a", "quality": 0}""", "bad-value", "quality")]
    [InlineData("""{"prompt": "a", "eta": 2}""", "bad-value", "eta")]
    [InlineData("""{"prompt": "a", "clipSkip": 13}""", "bad-value", "clipSkip")]
    [InlineData("""{"prompt": "a", "variationStrength": -0.1}""", "bad-value", "variationStrength")]
    [InlineData("""{"prompt": "a", "format": "avif"}""", "bad-value", "format")]
    [InlineData("""{"prompt": "a", "frame": "gold"}""", "bad-value", "frame")]
    [InlineData("""{"prompt": "a", "basis": "none.png"}""", "no-such-picture", "basis")]
    public void ABadBody_IsRefusedWithItsField(string body, string kind, string? field)
    {
        ServerRequestException refused = Assert.Throws<ServerRequestException>(() => Read(body));
        Assert.Equal((kind, field), (refused.Problem.Kind, refused.Problem.Field));
        Assert.InRange(refused.Status, 400, 404);
    }

    [Theory]
    [InlineData("sampler", "eulr", "Did you mean euler")]
    [InlineData("schedule", "karas", "Did you mean karras?")]
    [InlineData("noise", "comfi", "Did you mean comfy")]
    [InlineData("syntax", "a111", "Did you mean a1111?")]
    public void AMisspeltName_IsAnsweredWithNamesThatAreNear(string field, string name, string question)
    {
        ServerRequestException refused =
            Assert.Throws<ServerRequestException>(() => Read($$"""{"prompt": "a", "{{field}}": "{{name}}"}"""));
        Assert.Equal(field, refused.Problem.Field);
        Assert.Contains(question, refused.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALongPrompt_IsRefusedWithTheLimit()
    {
        ServerRequestException refused =
            Assert.Throws<ServerRequestException>(() => Read($$"""{"prompt": "a", "negativePrompt": "{{new string('x', 16_385)}}"}"""));
        Assert.Equal("negativePrompt", refused.Problem.Field);
        Assert.Contains("16384", refused.Problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABasis_SuppliesWhatIsAbsentAndWhatTheWireDoesNotName()
    {
        foreach (PictureRequest picture in BoardSetup.AnyRequests(seed: 4, count: 200))
        {
            RequestReader reader = ReaderOf(id => id == "known.png" ? picture : null);
            Assert.Equal(picture, Read(reader, """{"basis": "known.png"}""").Picture);
            // The page sends back what it got.
            JsonObject sent = RequestJson.Write(picture);
            sent["basis"] = "known.png";
            Assert.Equal(picture, Read(reader, sent.ToJsonString(WireJson.Options)).Picture);
            Assert.Equal(picture with { Seed = 5 }, Read(reader, """{"basis": "known.png", "seed": 5}""").Picture);
        }
    }

    [Fact]
    public void Seeds_AreWrittenAsDecimalStrings()
    {
        JsonObject json = RequestJson.Write(new PictureRequest { Prompt = "夜", Seed = ulong.MaxValue });
        Assert.Equal("18446744073709551615", json["seed"]!.GetValue<string>());
        Assert.Contains("夜", json.ToJsonString(WireJson.Options), StringComparison.Ordinal);
    }

    private static JobRequest Read(string body) => Read(ReaderOf(_ => null), body);

    private static RequestReader ReaderOf(Func<string, PictureRequest?> basisOf) =>
        ReaderOf(basisOf, new ServerOptions { Models = [], Atelier = TestAtelier.Options, Gallery = "/nowhere" });

    /// <summary>A reader without uploads.</summary>
    internal static RequestReader ReaderOf(Func<string, PictureRequest?> basisOf, ServerOptions options)
    {
        ServerLimits limits = options.Limits;
        // Nothing is kept in this folder, which is not created.
        var uploads = new UploadStore(new GalleryFolders(options.Gallery), limits);
        return new RequestReader(
            limits,
            basisOf,
            new SourceFields(uploads, _ => null),
            new HiresFields(new UpscalerShelf(options), limits),
            new LoraFields(new LoraCatalog(options)),
            new EmbeddingShelf(options));
    }

    private static JobRequest Read(RequestReader reader, string body)
    {
        using var document = JsonDocument.Parse(body);
        return reader.Read(document.RootElement);
    }
}
