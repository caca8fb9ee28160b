using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.OpenAi;

/// <summary>Pictures as a stream of events.</summary>
[Collection(ClientServer.Name)]
public sealed class ImageStreamTests(RunningServer server)
{
    private const string NodeScript = "openai-stream.mjs";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generations_AsAStream_SendPreviewsAndThenThePicture()
    {
        List<SseItem<string>> events = await StreamAsync(
            "{\"prompt\":\"a fox\",\"size\":\"256x256\",\"steps\":30,\"seed\":4,\"stream\":true,\"partial_images\":2,"
            + "\"output_format\":\"jpeg\"}");
        Assert.Equal("image_generation.completed", events[^1].EventType);
        Assert.InRange(events.Count, 2, 3);
        for (int i = 0; i < events.Count - 1; i++)
        {
            using JsonDocument partial = JsonDocument.Parse(events[i].Data);
            Assert.Equal("image_generation.partial_image", partial.RootElement.GetProperty("type").GetString());
            Assert.Equal(i, partial.RootElement.GetProperty("partial_image_index").GetInt32());
            AssertCommon(partial.RootElement);
        }

        using JsonDocument completed = JsonDocument.Parse(events[^1].Data);
        AssertCommon(completed.RootElement);
        Assert.Equal("jpeg", completed.RootElement.GetProperty("output_format").GetString());
        JsonElement usage = completed.RootElement.GetProperty("usage");
        Assert.Equal(2, usage.GetProperty("input_tokens_details").GetProperty("text_tokens").GetInt32());
        ReadOnlyMemory<byte> file = completed.RootElement.GetProperty("b64_json").GetBytesFromBase64();
        Assert.Equal(4UL, PictureFile.Read(file).ReadRecord().Request.Seed);
    }

    [Fact]
    public async Task Generations_OfSeveralPictures_SendOneEventForEach()
    {
        List<SseItem<string>> events = await StreamAsync(
            "{\"prompt\":\"a fox\",\"size\":\"256x256\",\"steps\":4,\"n\":3,\"stream\":true,\"partial_images\":3}");
        Assert.Equal("image_generation.completed", events[^1].EventType);
        Assert.Equal(3, events.Count(each => each.EventType == "image_generation.completed"));
    }

    [Fact]
    public async Task Generations_AsAStreamThatIsRefused_AnswerWithAnError()
    {
        using HttpResponseMessage answer = await server.PostAsync(
            "/v1/images/generations", "{\"prompt\":\"a fox\",\"size\":\"9x9\",\"stream\":true}", "application/json");
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Generations_ByOpenAisClientForNode_Stream()
    {
        string folder = Path.Combine(GoldenFiles.Root, "tests", "clients");
        bool isInstalled = Directory.Exists(Path.Combine(folder, "node_modules", "openai"));
        Assert.SkipUnless(isInstalled, "the package openai is not installed: npm install in tests/clients");
        var start = new ProcessStartInfo("node", [Path.Combine(folder, NodeScript), new Uri(server.Client.BaseAddress!, "v1").ToString()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process node = Process.Start(start)!;
        Task<string> failure = node.StandardError.ReadToEndAsync(Cancellation);
        string output = await node.StandardOutput.ReadToEndAsync(Cancellation);
        await node.WaitForExitAsync(Cancellation);
        Assert.True(node.ExitCode == 0, await failure);
        Assert.EndsWith("image_generation.completed png 256x256", output.TrimEnd(), StringComparison.Ordinal);
    }

    private static void AssertCommon(JsonElement data)
    {
        Assert.Equal("256x256", data.GetProperty("size").GetString());
        Assert.Equal(("medium", "opaque"), (data.GetProperty("quality").GetString(), data.GetProperty("background").GetString()));
        Assert.True(data.GetProperty("created_at").GetInt64() > 1_700_000_000);
        byte[] file = data.GetProperty("b64_json").GetBytesFromBase64();
        string format = PictureFormats.MediaType(PictureFormats.Detect(file)!.Value);
        Assert.Equal(format, $"image/{data.GetProperty("output_format").GetString()}");
    }

    private async Task<List<SseItem<string>>> StreamAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/images/generations");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await TextOfFailureAsync(answer));
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        await using Stream stream = await answer.Content.ReadAsStreamAsync(Cancellation);
        List<SseItem<string>> events = [];
        await foreach (SseItem<string> each in SseParser.Create(stream).EnumerateAsync(Cancellation)) events.Add(each);
        return events;
    }

    private static Task<string> TextOfFailureAsync(HttpResponseMessage answer) =>
        answer.IsSuccessStatusCode ? Task.FromResult("") : answer.Content.ReadAsStringAsync(Cancellation);
}
