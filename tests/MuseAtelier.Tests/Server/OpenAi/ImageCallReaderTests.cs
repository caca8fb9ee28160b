using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.OpenAi;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.OpenAi;

/// <summary>How the members of images/generations become a request.</summary>
[Collection(ClientServer.Name)]
public sealed class ImageCallReaderTests(RunningServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Read_WithOurOwnMembers_TakesThem()
    {
        ImageCall call = Read(
            "\"negative_prompt\":\"rain\",\"seed\":\"18446744073709551615\",\"steps\":7,\"guidance\":1.5,\"n\":3,\"size\":\"512x768\"");
        PictureRequest expected = new()
        {
            Prompt = "a fox",
            NegativePrompt = "rain",
            Seed = ulong.MaxValue,
            Steps = 7,
            GuidanceScale = 1.5f,
            Width = 512,
            Height = 768,
        };
        Assert.Equal(expected, call.Job.Picture);
        Assert.Equal((3, false, "openai", "512x768"), (call.Job.Count, call.Job.IsKept, call.Job.Origin, call.Size));
    }

    [Fact]
    public void Read_WithNothingElse_HasTheModelsSizeAndAnySeed()
    {
        int best = server.Services.GetRequiredService<IModelShelf>().Current!.BestSize;
        Assert.Equal(best, Read("\"size\":\"auto\"").Job.Picture.Width);
        Assert.NotEqual(Read("\"n\":1").Job.Picture.Seed, Read("\"n\":1").Job.Picture.Seed);
    }

    [Theory]
    [InlineData("low", 20, "low")]
    [InlineData("standard", 30, "medium")]
    [InlineData("auto", 30, "medium")]
    [InlineData("hd", 40, "high")]
    [InlineData("max", 60, "max")]
    public void Read_WithAQuality_HasItsSteps(string quality, int steps, string used)
    {
        ImageCall call = Read($"\"quality\":\"{quality}\"");
        Assert.Equal((steps, used), (call.Job.Picture.Steps, call.Quality));
    }

    [Theory]
    [InlineData("\"output_format\":\"webp\",\"output_compression\":0", PictureFormat.WebP, 1)]
    [InlineData("\"output_format\":\"jpeg\"", PictureFormat.Jpeg, null)]
    [InlineData("\"output_compression\":50", PictureFormat.Png, null)]
    public void Read_WithAFormat_HasItsQuality(string members, PictureFormat format, int? quality)
    {
        ImageCall call = Read(members);
        Assert.Equal((format, quality), (call.Job.Format, call.Job.Quality));
    }

    [Theory]
    [InlineData("\"model\":\"dall-e-3\"", true)]
    [InlineData("\"model\":\"dall-e-2\",\"response_format\":\"b64_json\"", false)]
    [InlineData("\"model\":\"gpt-image-1\"", false)]
    [InlineData("\"model\":\"NARROW\",\"response_format\":\"url\"", true)]
    public void Read_WithAModelAndAForm_AnswersAsOpenAiDoes(string members, bool sendsAddresses)
    {
        ImageCall call = Read(members);
        Assert.Equal((sendsAddresses, sendsAddresses), (call.SendsAddresses, call.Job.IsKept));
        Assert.Equal(members.Contains("NARROW", StringComparison.Ordinal) ? "narrow" : null, call.Job.Model);
    }

    [Theory]
    [InlineData("\"background\":\"transparent\"", 422, "background")]
    [InlineData("\"style\":\"natural\"", 422, "style")]
    [InlineData("\"output_format\":\"gif\"", 422, "output_format")]
    [InlineData("\"quality\":\"best\"", 400, "quality")]
    [InlineData("\"size\":\"wide\"", 400, "size")]
    [InlineData("\"size\":\"x\"", 400, "size")]
    [InlineData("\"size\":\"100x100\"", 400, "size")]
    [InlineData("\"n\":0", 400, "n")]
    [InlineData("\"partial_images\":4", 400, "partial_images")]
    [InlineData("\"stream\":true,\"response_format\":\"url\"", 400, "response_format")]
    [InlineData("\"model\":\"someone-elses\"", 404, "model")]
    public void Read_OfWhatTheServerCannotDo_NamesIt(string members, int status, string field)
    {
        var refused = Assert.Throws<ServerRequestException>(() => Read(members));
        Assert.Equal((status, field), (refused.Status, refused.Problem.Field));
    }

    [Fact]
    public async Task Variations_AreRefusedByName()
    {
        using var prompt = new StringContent("a fox");
        using var image = new ByteArrayContent([1]);
        using var form = new MultipartFormDataContent { { prompt, "prompt" }, { image, "image", "a.png" } };
        using HttpResponseMessage answer = await server.Client.PostAsync("/v1/images/variations", form, Cancellation);
        Assert.Equal(422, (int)answer.StatusCode);
        using JsonDocument document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        JsonElement error = document.RootElement.GetProperty("error");
        Assert.Equal(("invalid_request_error", "image"), (error.GetProperty("type").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains("variations", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private ImageCall Read(string members)
    {
        using JsonDocument document = ClientBody.Parse(Encoding.UTF8.GetBytes($"{{\"prompt\":\"a fox\",{members}}}"));
        var loras = server.Services.GetRequiredService<LoraCatalog>();
        return new ImageCallReader(server.Services.GetRequiredService<IModelShelf>(), loras, new ServerLimits()).Read(document.RootElement);
    }
}
