using System.Net;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>
/// Bodies as clients send them, with a small size and few steps: mix1009/sdwebuiapi (webuiapi.py, txt2img), SillyTavern (stable-diffusion/
/// index.js, generateAutoImage), Open WebUI (routers/images.py) and Auto-Photoshop-StableDiffusion-Plugin (utility/session.js).
/// </summary>
[Collection(ClientServer.Name)]
public sealed class RecordedCallTests(RunningServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("webuiapi", "Euler a", "Automatic", 1003)]
    [InlineData("sillytavern", "DPM++ 2M", "Karras", 42)]
    [InlineData("open-webui", "Euler", "Automatic", null)]
    [InlineData("auto-photoshop", "Euler a", "Automatic", null)]
    public async Task TextToImage_WithAClientsBody_PaintsAsTheClientReadsIt(string client, string sampler, string schedule, int? seed)
    {
        string body = await File.ReadAllTextAsync(PathOf(client), Cancellation);
        using HttpResponseMessage answer = await server.PostAsync("/sdapi/v1/txt2img", body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        using JsonDocument document = JsonDocument.Parse(text);
        byte[] file = Assert.Single(document.RootElement.GetProperty("images").EnumerateArray()).GetBytesFromBase64();
        PictureFileContent content = PictureFile.Read((ReadOnlyMemory<byte>)file);
        Assert.Equal((PictureFormat.Png, 256, 256), (content.Format, content.Width, content.Height));
        using JsonDocument info = JsonDocument.Parse(document.RootElement.GetProperty("info").GetString()!);
        JsonElement told = info.RootElement;
        Assert.Equal(content.Parameters, Assert.Single(told.GetProperty("infotexts").EnumerateArray()).GetString());
        Assert.Contains($"Sampler: {sampler}, Schedule type: {schedule}", content.Parameters, StringComparison.Ordinal);
        Assert.Equal(sampler, told.GetProperty("sampler_name").GetString());
        Assert.Equal(2, told.GetProperty("steps").GetInt32());
        ulong painted = content.ReadRecord().Request.Seed;
        Assert.Equal(painted, told.GetProperty("seed").GetUInt64());
        Assert.Equal([painted], told.GetProperty("all_seeds").EnumerateArray().Select(each => each.GetUInt64()));
        if (seed is not null) Assert.Equal((ulong)seed, painted);
        using JsonDocument sent = JsonDocument.Parse(body);
        JsonElement echoed = document.RootElement.GetProperty("parameters");
        Assert.Equal(sent.RootElement.GetProperty("prompt").GetString(), echoed.GetProperty("prompt").GetString());
        Assert.Equal(1, echoed.GetProperty("n_iter").GetInt32());
    }

    [Theory]
    [InlineData("webuiapi-img2img", 16, 5555)]
    [InlineData("auto-photoshop-img2img", 256, null)]
    public async Task ImageToImage_WithAClientsBody_PaintsFromItsPicture(string client, int side, int? seed)
    {
        string body = await File.ReadAllTextAsync(PathOf(client), Cancellation);
        using HttpResponseMessage answer = await server.PostAsync("/sdapi/v1/img2img", body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        using JsonDocument document = JsonDocument.Parse(text), sent = JsonDocument.Parse(body);
        byte[] file = Assert.Single(document.RootElement.GetProperty("images").EnumerateArray()).GetBytesFromBase64();
        PictureFileContent content = PictureFile.Read((ReadOnlyMemory<byte>)file);
        // Painting only the masked part gives a picture of the source's size.
        Assert.Equal((side, side), (content.Width, content.Height));
        PictureRequest painted = content.ReadRecord().Request;
        Assert.Equal((16, 16, 256), (painted.Source!.Image.Width, painted.Source.Mask!.Image.Width, painted.Width));
        Assert.Equal(sent.RootElement.GetProperty("mask_blur").GetInt32(), painted.Source.Mask.Blur);
        if (seed is not null) Assert.Equal((ulong)seed, painted.Seed);
        using JsonDocument info = JsonDocument.Parse(document.RootElement.GetProperty("info").GetString()!);
        float strength = sent.RootElement.GetProperty("denoising_strength").GetSingle();
        Assert.Equal(strength, info.RootElement.GetProperty("denoising_strength").GetSingle());
        Assert.Equal(painted.Source.Strength, strength);
        JsonElement echoed = document.RootElement.GetProperty("parameters");
        Assert.Equal(JsonValueKind.Null, echoed.GetProperty("init_images").ValueKind);
        Assert.Equal(sent.RootElement.GetProperty("inpainting_fill").GetInt32(), echoed.GetProperty("inpainting_fill").GetInt32());
    }

    [Fact]
    public async Task HiresFix_WithAClientsBody_PaintsTheLargerPicture()
    {
        string body = await File.ReadAllTextAsync(PathOf("sillytavern-hires"), Cancellation);
        using HttpResponseMessage answer = await server.PostAsync("/sdapi/v1/txt2img", body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        using JsonDocument document = JsonDocument.Parse(text);
        byte[] file = Assert.Single(document.RootElement.GetProperty("images").EnumerateArray()).GetBytesFromBase64();
        PictureFileContent content = PictureFile.Read((ReadOnlyMemory<byte>)file);
        Assert.Equal((512, 512), (content.Width, content.Height));
        HiresPass painted = content.ReadRecord().Request.Hires!;
        Assert.Equal((2f, 0.7f, 1), (painted.Scale, painted.Strength, painted.Steps));
    }

    [Fact]
    public async Task Options_AsOpenWebUiSetsThem_TakeTheWholeListBack()
    {
        string options = await server.Client.GetStringAsync("/sdapi/v1/options", Cancellation);
        using HttpResponseMessage answer = await server.PostAsync("/sdapi/v1/options", options, "application/json");
        Assert.Equal("null", await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(options, await server.Client.GetStringAsync("/sdapi/v1/options", Cancellation));
        using JsonDocument document = JsonDocument.Parse(options);
        string models = await server.Client.GetStringAsync("/sdapi/v1/sd-models", Cancellation);
        using JsonDocument listed = JsonDocument.Parse(models);
        JsonElement model = Assert.Single(listed.RootElement.EnumerateArray());
        Assert.Equal(model.GetProperty("title").GetString(), document.RootElement.GetProperty("sd_model_checkpoint").GetString());
        Assert.Equal("narrow", model.GetProperty("model_name").GetString());
        Assert.DoesNotContain(Path.GetDirectoryName(NarrowAtelier.Checkpoint)!, models, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("samplers", "\"name\":\"Euler a\"")]
    [InlineData("schedulers", "\"name\":\"sgm_uniform\",\"label\":\"SGM Uniform\"")]
    [InlineData("upscalers", "\"name\":\"None\"")]
    [InlineData("upscalers", "\"name\":\"Lanczos\"")]
    [InlineData("latent-upscale-modes", "[{\"name\":\"Latent\"},")]
    [InlineData("sd-vae", "[]")]
    [InlineData("loras", "[]")]
    [InlineData("embeddings", "{\"loaded\":{},\"skipped\":{}}")]
    [InlineData("scripts", "{\"txt2img\":[],\"img2img\":[]}")]
    [InlineData("memory", "\"ram\":{\"free\":")]
    [InlineData("cmd-flags", "\"api\":true")]
    [InlineData("progress", "\"progress\":0,\"eta_relative\":0,\"state\":{\"skipped\":")]
    public async Task Lists_AsClientsReadThem_HaveTheirForm(string route, string part) =>
        Assert.Contains(part, await server.Client.GetStringAsync($"/sdapi/v1/{route}", Cancellation), StringComparison.Ordinal);

    [Theory]
    [InlineData("interrupt", "{}")]
    [InlineData("skip", "null")]
    [InlineData("refresh-checkpoints", "null")]
    public async Task Commands_WithoutABody_AnswerJson(string route, string expected)
    {
        using HttpResponseMessage answer = await server.Client.PostAsync($"/sdapi/v1/{route}", content: null, Cancellation);
        Assert.Equal(expected, await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("{}", await server.Client.GetStringAsync("/internal/ping", Cancellation));
    }

    private static string PathOf(string client) => Path.Combine(
        GoldenFiles.Root, "tests", "MuseAtelier.Tests", "Server", "Automatic1111", "Recorded", $"{client}.json");
}
