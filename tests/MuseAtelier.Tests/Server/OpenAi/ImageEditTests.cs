using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Requests;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Server.Uploads;
using OpenAI;
using OpenAI.Images;

namespace MuseAtelier.Tests.Server.OpenAi;

/// <summary>images/edits: OpenAI's own client for .NET, the form that Open WebUI sends, and forms that are refused.</summary>
[Collection(ClientServer.Name)]
public sealed class ImageEditTests(RunningServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ImageClient Client => new(
        "gpt-image-1",
        new ApiKeyCredential("none"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(server.Client.BaseAddress!, "v1"),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
        });

    [Fact]
    public async Task EditImage_WithAMask_PaintsItsTransparentPart()
    {
        using var picture = new MemoryStream(UploadFilesOf.Picture(width: 256, height: 256));
        using var mask = new MemoryStream(UploadFilesOf.Transparent(256, 256));
        var options = new ImageEditOptions { Size = new GeneratedImageSize(256, 256), Quality = new GeneratedImageQuality("low") };
        ClientResult<GeneratedImage> result =
            await Client.GenerateImageEditAsync(picture, "a.png", "a windmill", mask, "m.png", options, Cancellation);
        ReadOnlyMemory<byte> file = result.Value.ImageBytes.ToMemory();
        PictureRequest painted = PictureFile.Read(file).ReadRecord().Request;
        Assert.Equal(("a windmill", 1f, 256), (painted.Prompt, painted.Source!.Strength, painted.Width));
        Assert.NotNull(painted.Source.Mask);
        using DecodedPicture edited = PictureFile.Decode(file);
        using DecodedPicture source = PictureFile.Decode(UploadFilesOf.Picture(width: 256, height: 256));
        // Far from the mask and its blur, the pixels are the source's own.
        int far = 240 * 3;
        Assert.Equal(source.Pixels.Span.Slice(far, 15).ToArray(), edited.Pixels.Span.Slice(far, 15).ToArray());
        Assert.NotEqual(source.Pixels.Span[..384].ToArray(), edited.Pixels.Span[..384].ToArray());
    }

    [Fact]
    public async Task AnEdit_AsOpenWebUiSendsIt_IsPaintedFromItsPicture()
    {
        using MultipartFormDataContent form = FormOf(
            [("image[]", UploadFilesOf.Picture(width: 64, height: 32))],
            ("model", "gpt-image-1"), ("prompt", "brighter"), ("n", "1"), ("size", "256x256"), ("seed", "7"), ("steps", "2"));
        using JsonDocument answer = await SendAsync(form, 200);
        byte[] file = answer.RootElement.GetProperty("data")[0].GetProperty("b64_json").GetBytesFromBase64();
        PictureRequest painted = PictureFile.Read((ReadOnlyMemory<byte>)file).ReadRecord().Request;
        Assert.Equal((64, 32), (painted.Source!.Image.Width, painted.Source.Image.Height));
        Assert.Equal((0.75f, 7ul), (painted.Source.Strength, painted.Seed));
    }

    [Theory]
    [InlineData(64, 32, 1448, 728)]
    [InlineData(512, 512, 1024, 1024)]
    [InlineData(1, 20_000, 256, 2048)]
    public void TheUsualSize_HasTheProportionsOfThePicture(int width, int height, int wide, int high) =>
        Assert.Equal((wide, high), SourceSize.Near(width, height, 1024));

    [Fact]
    public async Task AStreamedEdit_HasEventsOfItsOwnNames()
    {
        using MultipartFormDataContent form = FormOf(
            [("image", UploadFilesOf.Picture())], ("prompt", "a"), ("size", "256x256"), ("steps", "2"), ("stream", "true"));
        using HttpResponseMessage answer = await server.Client.PostAsync("/v1/images/edits", form, Cancellation);
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("event: image_edit.completed\ndata: {\"type\":\"image_edit.completed\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edits_ThatCannotBePainted_AreRefusedByName()
    {
        byte[] picture = UploadFilesOf.Picture();
        (string, string) prompt = ("prompt", "a");
        await RefusedAsync(FormOf([], prompt), 400, "image");
        await RefusedAsync(FormOf([("image", picture), ("image", picture)], prompt), 422, "image");
        await RefusedAsync(FormOf([("image", "no picture"u8.ToArray())], prompt), 400, "image");
        await RefusedAsync(FormOf([("image", UploadFilesOf.Bomb())], prompt), 400, "image");
        await RefusedAsync(FormOf([("image", picture), ("mask", picture)], prompt), 400, "mask");
        await RefusedAsync(FormOf([("image", picture), ("other", picture)], prompt), 400, "other");
        await RefusedAsync(FormOf([("image", picture)]), 400, "prompt");
        await RefusedAsync(FormOf([("image", picture)], prompt, ("image", "a")), 400, "image");
        await RefusedAsync(FormOf([("image", picture)], prompt, ("background", "transparent")), 422, "background");
        await RefusedAsync(FormOf([("image", picture)], prompt, ("input_fidelity", "some")), 400, "input_fidelity");
        await RefusedAsync(FormOf([("image", picture)], prompt, ("strength", "2")), 400, "strength");
    }

    [Theory]
    [InlineData("multipart/form-data", "x", 415)]
    [InlineData("multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nfox", 400)]
    [InlineData("multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nfox\r\n--a--", 400)]
    [InlineData("multipart/form-data; boundary=a", "nothing", 400)]
    [InlineData("application/json", "{}", 415)]
    public async Task Bodies_ThatAreNoForm_AreRefused(string type, string body, int status)
    {
        using HttpResponseMessage answer = await server.PostAsync("/v1/images/edits", body, type);
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == (int)answer.StatusCode, text);
        Assert.Contains("invalid_request_error", text, StringComparison.Ordinal);
    }

    private static MultipartFormDataContent FormOf((string Name, byte[] File)[] files, params (string Name, string Value)[] texts)
    {
        var form = new MultipartFormDataContent();
        foreach ((string name, byte[] file) in files) form.Add(new ByteArrayContent(file), name, "../a.png");
        foreach ((string name, string value) in texts) form.Add(new StringContent(value), name);
        return form;
    }

    private async Task RefusedAsync(MultipartFormDataContent form, int status, string param)
    {
        using (form)
        {
            using JsonDocument answer = await SendAsync(form, status);
            Assert.Equal(param, answer.RootElement.GetProperty("error").GetProperty("param").GetString());
        }
    }

    private async Task<JsonDocument> SendAsync(MultipartFormDataContent form, int status)
    {
        using HttpResponseMessage answer = await server.Client.PostAsync("/v1/images/edits", form, Cancellation);
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == (int)answer.StatusCode, text);
        return JsonDocument.Parse(text);
    }
}
