using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using MuseAtelier.Server;
using MuseAtelier.Tests.Server.Jobs;

namespace MuseAtelier.Tests.Server.Uploads;

/// <summary>Uploads by HTTP, and requests that name them.</summary>
public sealed class UploadRoutesTests : IAsyncLifetime
{
    private readonly MemoryGallery _gallery = new();
    private JobServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await JobServer.StartAsync(new SteppedAtelier { PaintsAtOnce = true }, _gallery);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _gallery.Dispose();
    }

    [Fact]
    public async Task APicture_IsTakenAndGivenBack()
    {
        byte[] file = UploadFilesOf.Picture();
        (int status, JsonNode upload) = await UploadAsync(file, "?name=a%20fox.png");
        Assert.Equal((201, "a fox.png", 32, 24), (status, (string?)upload["name"], (int)upload["width"]!, (int)upload["height"]!));
        Assert.False((bool)upload["hasAlpha"]!);
        string id = (string)upload["id"]!;
        (status, JsonNode again) = await _server.SendAsync(HttpMethod.Get, $"/api/v1/uploads/{id}");
        Assert.True(JsonNode.DeepEquals(upload, again), again.ToJsonString());
        Assert.Equal(200, status);
        using HttpResponseMessage back = await _server.Client.GetAsync($"/api/v1/uploads/{id}/file", Token);
        Assert.Equal("image/png", back.Content.Headers.ContentType?.MediaType);
        Assert.Equal(file, await back.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task WhatIsNoPicture_IsRefusedByKind()
    {
        await AssertRefusedAsync(UploadAsync("no picture"u8.ToArray()), 400, "not-a-picture");
        await AssertRefusedAsync(UploadAsync([]), 400, "not-a-picture");
        await AssertRefusedAsync(UploadAsync(UploadFilesOf.Bomb()), 400, "not-a-picture");
        await AssertRefusedAsync(UploadAsync(UploadFilesOf.Picture(), type: "application/json"), 415, "bad-content-type");
        // The server answers before such a body is sent.
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v1/uploads");
        message.Headers.ExpectContinue = true;
        message.Content = new ByteArrayContent(new byte[new ServerLimits().UploadBytes + 1]);
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        using HttpResponseMessage large = await _server.Client.SendAsync(message, Token);
        Assert.Equal(413, (int)large.StatusCode);
        foreach (string id in (string[])["x", "..%5Cjournal.jsonl", new string('a', 64), "journal.jsonl"])
            await AssertRefusedAsync(_server.SendAsync(HttpMethod.Get, $"/api/v1/uploads/{id}/file"), 404, "no-such-upload");
    }

    [Fact]
    public async Task ARequest_WithASourceAndAMask_IsAnsweredSoThatItMayBeSentAgain()
    {
        string picture = await IdOfAsync(UploadFilesOf.Picture()), mask = await IdOfAsync(UploadFilesOf.Mask());
        string source = $$"""
            {"upload": "{{picture}}", "fit": "pad", "strength": 0.25, "extend": {"left": 8},
             "mask": {"upload": "{{mask}}", "blur": 2, "content": "fill", "onlyMaskedPadding": 16, "pasteBack": false} }
            """;
        JsonNode job = await AcceptAsync($$"""{"prompt": "a", "width": 256, "height": 256, "steps": 2, "source": {{source}} }""");
        JsonNode told = job["request"]!["source"]!;
        Assert.Equal((picture, "pad", 0.25f), ((string?)told["upload"], (string?)told["fit"], (float)told["strength"]!));
        Assert.Equal(8, (int)told["extend"]!["left"]!);
        JsonNode toldMask = told["mask"]!;
        Assert.Equal((mask, "fill", 16), ((string?)toldMask["upload"], (string?)toldMask["content"], (int)toldMask["onlyMaskedPadding"]!));
        JsonNode again = await AcceptAsync(job["request"]!.ToJsonString());
        Assert.True(JsonNode.DeepEquals(job["request"], again["request"]), again.ToJsonString());
        // Digests name the same pictures.
        foreach (JsonNode each in (JsonNode[])[told, toldMask]) each.AsObject().Remove("upload");
        JsonNode byDigest = await AcceptAsync(job["request"]!.ToJsonString());
        Assert.Equal(picture, (string?)byDigest["request"]!["source"]!["upload"]);
    }

    [Fact]
    public async Task ASecondPass_IsReadAndTold()
    {
        const string hires = """
            {"scale": 1.5, "strength": 0.4, "steps": 3, "upscaler": "lanczos", "prompt": "b", "sampler": "euler", "guidanceScale": 5}
            """;
        JsonNode job = await AcceptAsync($$"""{"prompt": "a", "width": 256, "height": 256, "hires": {{hires}} }""");
        JsonNode told = job["request"]!["hires"]!;
        Assert.Equal((1.5f, 0.4f, 3), ((float)told["scale"]!, (float)told["strength"]!, (int)told["steps"]!));
        Assert.Equal("lanczos", (string?)told["upscaler"]);
        Assert.Equal(("b", "euler", 5f), ((string?)told["prompt"], (string?)told["sampler"], (float)told["guidanceScale"]!));
        Assert.Null(told["negativePrompt"]);
    }

    [Theory]
    [InlineData("""{"source": {}}""", 400, "bad-value", "source.upload")]
    [InlineData("""{"source": "a.png"}""", 400, "bad-value", "source")]
    [InlineData("""{"source": {"upload": "/etc/passwd"}}""", 404, "no-such-upload", "source.upload")]
    [InlineData("""{"source": {"path": "/etc/passwd"}}""", 400, "unknown-field", "source.path")]
    [InlineData("""{"source": {"picture": "../a.png"}}""", 404, "no-such-picture", "source.picture")]
    [InlineData("""{"source": {"upload": "ID", "fit": "cover"}}""", 400, "bad-value", "source.fit")]
    [InlineData("""{"source": {"upload": "ID", "strength": "1"}}""", 400, "bad-value", "source.strength")]
    [InlineData("""{"source": {"upload": "ID", "extend": {"left": -1}}}""", 400, "bad-value", "source.extend.left")]
    [InlineData("""{"source": {"upload": "ID", "mask": {"transparency": true}}}""", 400, "bad-value", "source.mask.transparency")]
    [InlineData("""{"source": {"upload": "ID", "mask": {"upload": "ID", "blur": 65}}}""", 400, "bad-value", "source.mask.blur")]
    [InlineData("""{"source": {"upload": "ID", "mask": {"upload": "ID", "pasteBack": 1}}}""", 400, "bad-value", "source.mask.pasteBack")]
    [InlineData("""{"hires": {"upscaler": "../4x.pth"}}""", 404, "no-such-upscaler", "hires.upscaler")]
    [InlineData("""{"hires": {"sampler": "nothing"}}""", 400, "bad-value", "hires.sampler")]
    [InlineData("""{"hires": {"sacle": 2}}""", 400, "unknown-field", "hires.sacle")]
    public async Task ABadSource_IsRefusedByName(string members, int status, string kind, string field)
    {
        string id = await IdOfAsync(UploadFilesOf.Picture());
        string body = members.Replace("ID", id, StringComparison.Ordinal).Insert(1, "\"prompt\": \"a\", ");
        (int answered, JsonNode answer) = await _server.PostAsync("/api/v1/jobs", body);
        Assert.Equal((status, kind, field), (answered, (string?)answer["problem"]!["kind"], (string?)answer["problem"]!["field"]));
    }

    private static async Task AssertRefusedAsync(Task<(int Status, JsonNode Json)> answer, int status, string kind)
    {
        (int answered, JsonNode json) = await answer;
        Assert.Equal((status, kind), (answered, (string?)json["problem"]!["kind"]));
    }

    private async Task<string> IdOfAsync(byte[] file) => (string)(await UploadAsync(file)).Json["id"]!;

    private async Task<(int Status, JsonNode Json)> UploadAsync(byte[] file, string query = "", string type = "image/png")
    {
        using var body = new ByteArrayContent(file);
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await _server.SendAsync(HttpMethod.Post, $"/api/v1/uploads{query}", body);
    }

    private async Task<JsonNode> AcceptAsync(string request)
    {
        (int status, JsonNode job) = await _server.PostAsync("/api/v1/jobs", request);
        Assert.True(status == (int)HttpStatusCode.Accepted, job.ToJsonString());
        return job;
    }
}
