using System.ClientModel;
using System.ClientModel.Primitives;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Server.Host;
using OpenAI;
using OpenAI.Images;
using OpenAI.Models;

namespace MuseAtelier.Tests.Server.OpenAi;

/// <summary>OpenAI's own client for .NET against the server.</summary>
[Collection(ClientServer.Name)]
public sealed class OpenAiClientTests(RunningServer server)
{
    private static readonly ApiKeyCredential Key = new("none");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private OpenAIClientOptions Options =>
        new() { Endpoint = new Uri(server.Client.BaseAddress!, "v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) };

    private ImageClient Client(string model) => new(model, Key, Options);

    [Fact]
    public async Task GenerateImages_AsBytes_GivesSeveralPicturesWithTheirRecords()
    {
        var options = new ImageGenerationOptions
        {
            Size = new GeneratedImageSize(256, 256),
            Quality = new GeneratedImageQuality("low"),
            ResponseFormat = GeneratedImageFormat.Bytes,
        };
        ClientResult<GeneratedImageCollection> result =
            await Client("gpt-image-1").GenerateImagesAsync("a quiet harbour", 2, options, Cancellation);
        GeneratedImageCollection pictures = result.Value;
        Assert.Equal(2, pictures.Count);
        Assert.InRange(pictures.CreatedAt, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1));
        PictureRequest[] painted = [.. pictures.Select(picture => PictureFile.Read(picture.ImageBytes.ToMemory()).ReadRecord().Request)];
        Assert.All(painted, request => Assert.Equal(("a quiet harbour", 20, 256), (request.Prompt, request.Steps, request.Width)));
        Assert.Equal(painted[0].Seed + 1, painted[1].Seed);
        Assert.Equal(pictures.Usage.InputTokenCount, pictures.Usage.TotalTokenCount);
        Assert.Equal(3, pictures.Usage.InputTokenCount);
    }

    [Fact]
    public async Task GenerateImage_AsAddress_IsInTheGallery()
    {
        var options = new ImageGenerationOptions
        {
            Size = new GeneratedImageSize(256, 256),
            Quality = new GeneratedImageQuality("low"),
            ResponseFormat = GeneratedImageFormat.Uri,
        };
        ClientResult<GeneratedImage> result = await Client("narrow").GenerateImageAsync("a windmill", options, Cancellation);
        Assert.Equal(server.Client.BaseAddress!.Authority, result.Value.ImageUri.Authority);
        ReadOnlyMemory<byte> file = await server.Client.GetByteArrayAsync(result.Value.ImageUri, Cancellation);
        Assert.Equal("a windmill", PictureFile.Read(file).ReadRecord().Request.Prompt);
    }

    [Theory]
    [InlineData("narrow", 100, 400, "bad_value", "size")]
    [InlineData("someone-elses", 256, 404, "model_not_found", "model")]
    public async Task GenerateImage_OfABadRequest_ThrowsWhatTheServerSays(string model, int width, int status, string code, string param)
    {
        var options = new ImageGenerationOptions { Size = new GeneratedImageSize(width, 256) };
        var failure = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(model).GenerateImageAsync("a fox", options, Cancellation));
        Assert.Equal(status, failure.Status);
        Assert.Contains($"invalid_request_error: {code}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(param, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_ToUnknownRoutes_AnswerInOpenAisForm()
    {
        using HttpResponseMessage answer = await server.PostAsync("/v1/chat/completions", "{}", "application/json");
        Assert.Equal(404, (int)answer.StatusCode);
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"no_such_route\"", text, StringComparison.Ordinal);
        using HttpResponseMessage typed = await server.PostAsync("/v1/images/generations", "a fox", "text/plain");
        Assert.Equal(415, (int)typed.StatusCode);
        Assert.Contains("\"code\":\"bad_content_type\"", await typed.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_OfTheServer_AreListed()
    {
        var client = new OpenAIModelClient(Key, Options);
        ClientResult<OpenAIModelCollection> models = await client.GetModelsAsync(Cancellation);
        OpenAIModel model = Assert.Single(models.Value);
        Assert.Equal(("narrow", "museatelier"), (model.Id, model.OwnedBy));
        ClientResult<OpenAIModel> again = await client.GetModelAsync("narrow", Cancellation);
        Assert.Equal(model.CreatedAt, again.Value.CreatedAt);
    }
}
