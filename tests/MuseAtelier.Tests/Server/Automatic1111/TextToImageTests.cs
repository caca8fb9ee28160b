using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Automatic1111;

/// <summary>Painting by AUTOMATIC1111's API: pictures, their seeds, progress, and the ends of jobs.</summary>
[Collection(ClientServer.Name)]
public sealed class TextToImageTests(RunningServer server, NarrowAtelier narrow)
{
    private const string Small = "\"prompt\":\"a fox\",\"width\":256,\"height\":256,\"sampler_name\":\"Euler a\"";

    private const string Long = $"{{{Small},\"steps\":1000,\"seed\":1}}";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobBoard Board => server.Services.GetRequiredService<IJobBoard>();

    [Fact]
    public async Task Paint_SeveralPictures_AreThoseThatTheEnginePaintsForTheirRecords()
    {
        JsonNode answer = await PaintAsync($"{{{Small},\"steps\":1,\"seed\":11,\"batch_size\":2,\"n_iter\":1}}");
        JsonArray images = answer["images"]!.AsArray();
        JsonNode info = JsonNode.Parse(answer["info"]!.GetValue<string>())!;
        Assert.Equal([11UL, 12UL], info["all_seeds"]!.AsArray().Select(seed => seed!.GetValue<ulong>()));
        Assert.Equal(2, images.Count);
        Assert.Equal(2, info["infotexts"]!.AsArray().Count);
        Assert.Equal(narrow.Atelier.Model.Name, info["sd_model_name"]!.GetValue<string>());
        ReadOnlyMemory<byte> file = Convert.FromBase64String(images[1]!.GetValue<string>());
        PictureRequest request = PictureFile.Read(file).ReadRecord().Request;
        Assert.Equal((12UL, SamplingDialect.A1111, NoiseSource.A1111), (request.Seed, request.Dialect, request.NoiseSource));
        using Picture expected = await narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
        using DecodedPicture painted = PictureFile.Decode(file);
        Assert.True(Likeness.Psnr(expected.Pixels.Span, painted.Pixels.Span) > 45);
    }

    [Fact]
    public async Task Paint_WithAVariation_CountsTheVariationsSeeds()
    {
        JsonNode answer = await PaintAsync(
            $"{{{Small},\"steps\":1,\"seed\":3,\"subseed\":20,\"subseed_strength\":0.5,\"n_iter\":2,\"send_images\":false}}");
        Assert.Empty(answer["images"]!.AsArray());
        JsonNode info = JsonNode.Parse(answer["info"]!.GetValue<string>())!;
        Assert.Equal([3UL, 3UL], info["all_seeds"]!.AsArray().Select(seed => seed!.GetValue<ulong>()));
        Assert.Equal([20UL, 21UL], info["all_subseeds"]!.AsArray().Select(seed => seed!.GetValue<ulong>()));
    }

    [Fact]
    public async Task Interrupt_WhileItPaints_AnswersWithThePicturesSoFar()
    {
        Task<JsonNode> painting = PaintAsync(Long);
        Job job = await RunningJobAsync();
        JsonNode progress = JsonNode.Parse(await server.Client.GetStringAsync("/sdapi/v1/progress?skip_current_image=true", Cancellation))!;
        Assert.InRange(progress["progress"]!.GetValue<double>(), 0.005, 1);
        Assert.Equal(1, progress["state"]!["job_count"]!.GetValue<int>());
        Assert.Equal(job.Id, progress["current_task"]!.GetValue<string>());
        using HttpResponseMessage interrupted = await server.Client.PostAsync("/sdapi/v1/interrupt", content: null, Cancellation);
        Assert.Equal(HttpStatusCode.OK, interrupted.StatusCode);
        JsonNode answer = await painting.WaitAsync(Patience, Cancellation);
        Assert.Empty(answer["images"]!.AsArray());
        JsonNode after = JsonNode.Parse(await server.Client.GetStringAsync("/sdapi/v1/progress", Cancellation))!;
        Assert.Equal(0, after["progress"]!.GetValue<double>());
        Assert.True(after["state"]!["interrupted"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Paint_WhoseClientLeaves_EndsTheJob()
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var content = new StringContent(Long, System.Text.Encoding.UTF8, "application/json");
        Task<HttpResponseMessage> painting = server.Client.PostAsync("/sdapi/v1/txt2img", content, leaving.Token);
        Job job = await RunningJobAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => painting);
        Job ended = await WhenAsync(() => Board.Find(job.Id) is { State: JobState.Stopped } stopped ? stopped : null);
        Assert.Null(ended.Problem);
    }

    [Fact]
    public async Task PngInfo_OfAPaintedPicture_HasItsSettings()
    {
        JsonNode answer = await PaintAsync($"{{{Small},\"negative_prompt\":\"rain\",\"steps\":1,\"seed\":8}}");
        string picture = answer["images"]![0]!.GetValue<string>();
        string body = $"{{\"image\":\"data:image/png;base64,{picture}\"}}";
        using HttpResponseMessage told = await server.PostAsync("/sdapi/v1/png-info", body, "application/json");
        JsonNode info = JsonNode.Parse(await told.Content.ReadAsStringAsync(Cancellation))!;
        const string beginning = "a fox\nNegative prompt: rain\nSteps: 1, Sampler: Euler a";
        Assert.StartsWith(beginning, info["info"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(("8", "rain"), ((string?)info["parameters"]!["Seed"], (string?)info["parameters"]!["Negative prompt"]));
        Assert.NotNull(info["items"]!["museatelier"]);
    }

    [Theory]
    [InlineData("img2img", "{\"init_images\":[\"aGVsbG8=\"]}", 400, "picture")]
    [InlineData("img2img", "{}", 404, "Init image not found")]
    [InlineData("txt2img", "{\"init_images\":[\"aGVsbG8=\"]}", 422, "img2img")]
    [InlineData("txt2img", "{\"prompt\":\"\\ud800\"}", 400, "JSON")]
    [InlineData("txt2img", "[]", 400, "object")]
    [InlineData("options", "{\"sd_model_checkpoint\":\"other\"}", 404, "other")]
    [InlineData("extra-single-image", "{}", 422, "enlarge")]
    [InlineData("no-such-route", "{}", 404, "nothing at this address")]
    [InlineData("png-info", "{\"image\":\"aGVsbG8=\"}", 400, "picture")]
    public async Task Routes_WithWhatTheyCannotDo_SayItInAutomatic1111sForm(string route, string body, int status, string part)
    {
        using HttpResponseMessage answer = await server.PostAsync($"/sdapi/v1/{route}", body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == (int)answer.StatusCode, text);
        using JsonDocument document = JsonDocument.Parse(text);
        string detail = document.RootElement.GetProperty("detail").GetString()!;
        Assert.Contains(part, detail, StringComparison.Ordinal);
        Assert.Equal(detail, document.RootElement.GetProperty("problem").GetProperty("message").GetString());
    }

    private async Task<JsonNode> PaintAsync(string body)
    {
        using HttpResponseMessage answer = await server.PostAsync("/sdapi/v1/txt2img", body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private Task<Job> RunningJobAsync() =>
        WhenAsync(() => Board.Jobs.FirstOrDefault(job => job is { State: JobState.Painting, Step: > 1, Request.Origin: "a1111" }));

    private static async Task<T> WhenAsync<T>(Func<T?> find) where T : class
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        T? found;
        while ((found = find()) is null) await Task.Delay(10, patience.Token);
        return found;
    }
}
