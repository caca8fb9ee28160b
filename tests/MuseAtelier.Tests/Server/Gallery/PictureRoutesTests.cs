using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Requests;
using MuseAtelier.Tests.Server.Host;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Gallery;

[Collection(ClientServer.Name)]
public sealed class PictureRoutesTests(RunningServer server)
{
    private const string Pictures = "/api/v1/pictures";

    private FolderGallery Gallery => server.Services.GetRequiredService<FolderGallery>();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pictures_FromAJobToTheTrashAndBack_AreListedReadAndVerified()
    {
        IJobBoard jobs = server.Services.GetRequiredService<IJobBoard>();
        var painting = new JobRequest { Picture = TestAtelier.Small with { Prompt = "routes of a picture", Steps = 1 } };
        Job job = await jobs.AcceptAsync(painting, Stop);
        job = await EndAsync(jobs, job);
        string id = Assert.Single(job.Pictures);

        JsonNode list = await GetAsync($"{Pictures}?q=ROUTES+of");
        Assert.Equal(1, list["total"]!.GetValue<int>());
        JsonNode picture = list["pictures"]![0]!;
        Assert.Equal((id, job.Id), (picture["id"]!.GetValue<string>(), picture["job"]!.GetValue<string>()));
        Assert.Equal("7", picture["request"]!["seed"]!.GetValue<string>());
        Assert.Contains("Seed: 7", (await GetAsync($"{Pictures}/{id}"))["text"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(id, (await GetAsync("/api/v1/state"))["recent"]!.ToJsonString(), StringComparison.Ordinal);

        using HttpResponseMessage thumbnail = await server.Client.GetAsync(picture["thumbnail"]!.GetValue<string>(), Stop);
        Assert.Contains("immutable", thumbnail.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal("image/webp", thumbnail.Content.Headers.ContentType!.MediaType);

        using HttpResponseMessage verify = await server.SendAsync(HttpMethod.Post, $"{Pictures}/{id}/verify");
        Assert.Equal(HttpStatusCode.Accepted, verify.StatusCode);
        JsonNode accepted = JsonNode.Parse(await verify.Content.ReadAsStringAsync(Stop))!;
        Assert.Equal(("verify", id), (accepted["kind"]!.GetValue<string>(), accepted["picture"]!.GetValue<string>()));
        Job verified = await EndAsync(jobs, jobs.Find(accepted["id"]!.GetValue<string>())!);
        Assert.True(verified.Verification!.Holds, verified.Verification.Outcome);

        using HttpResponseMessage removed = await server.SendAsync(HttpMethod.Delete, $"{Pictures}/{id}");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await RunningServer.AssertProblemAsync(await server.SendAsync(HttpMethod.Get, $"{Pictures}/{id}/file"), 404, "no-such-picture");
        await RunningServer.AssertProblemAsync(await server.SendAsync(HttpMethod.Delete, $"{Pictures}/{id}"), 404, "no-such-picture");
        using HttpResponseMessage restored = await server.SendAsync(HttpMethod.Post, $"{Pictures}/{id}/restore");
        JsonNode again = JsonNode.Parse(await restored.Content.ReadAsStringAsync(Stop))!;
        Assert.Equal(picture["painted"]!.GetValue<string>(), again["painted"]!.GetValue<string>());
    }

    [Fact]
    public async Task File_WholeInPartsAndAsAttachment_IsTheFile()
    {
        byte[] file = TestGallery.PictureOf("a file");
        await Gallery.AddAsync("file.png", file, Stop);
        const string path = $"{Pictures}/file.png/file";
        using HttpResponseMessage whole = await server.Client.GetAsync(path, Stop);
        Assert.Equal(file, await whole.Content.ReadAsByteArrayAsync(Stop));
        Assert.Equal("image/png", whole.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", Assert.Single(whole.Headers.GetValues("X-Content-Type-Options")));
        Assert.Null(whole.Content.Headers.ContentDisposition);

        using HttpResponseMessage part = await server.SendAsync(HttpMethod.Get, path, "Range: bytes=8-15");
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(file[8..16], await part.Content.ReadAsByteArrayAsync(Stop));
        using HttpResponseMessage beyond = await server.SendAsync(HttpMethod.Get, path, "Range: bytes=9999999-");
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        using HttpResponseMessage known = await server.SendAsync(HttpMethod.Get, path, $"If-None-Match: {whole.Headers.ETag}");
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);

        using HttpResponseMessage download = await server.Client.GetAsync($"{path}?download", Stop);
        ContentDispositionHeaderValue disposition = download.Content.Headers.ContentDisposition!;
        Assert.Equal(("attachment", "file.png"), (disposition.DispositionType, disposition.FileName));
    }

    [Theory]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%2e%2e%2f%2e%2e%2fetc%2fpasswd")]
    [InlineData("..%5c..%5cwindows%5cwin.ini")]
    [InlineData("%2fetc%2fpasswd")]
    [InlineData(".atelier")]
    [InlineData(".atelier%2findex")]
    [InlineData("%252e%252e%252fetc")]
    [InlineData("a%00.png")]
    [InlineData("a.png%0d%0aX-Header:%20x")]
    [InlineData("CON")]
    [InlineData("nul.png")]
    [InlineData("a.png::$DATA")]
    [InlineData("../../../etc/passwd")]
    [InlineData("..")]
    [InlineData("%ff%fe")]
    public async Task Routes_OfIdsThatAreNone_AnswerWithARefusal(string id)
    {
        string[] calls = ["GET ", "GET /file", "GET /thumbnail", "DELETE ", "POST /restore", "POST /verify"];
        foreach (string call in calls)
        {
            string[] parts = call.Split(' ');
            string answer = await SendRawAsync(parts[0], $"{Pictures}/{id}{parts[1]}");
            Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", answer);
            Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("X-Header", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Routes_OfAVeryLongId_AnswerWithARefusal()
    {
        string answer = await SendRawAsync("GET", $"{Pictures}/{new string('a', 5000)}.png/file");
        Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", answer);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("cursor=!", "cursor")]
    [InlineData("cursor=AAAA", "cursor")]
    public async Task Pictures_WithAParameterOutOfRange_AreRefused(string query, string field)
    {
        HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, $"{Pictures}?{query}");
        string message = await RunningServer.AssertProblemAsync(answer, 400, "bad-value");
        Assert.Contains(field, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_OfFilesOfEveryKind_AreReadOrRefused()
    {
        JsonNode own = await ReadAsync(TestGallery.PictureOf("a record", seed: ulong.MaxValue, format: PictureFormat.WebP));
        Assert.Equal(("MuseAtelier", "webp"), (own["program"]!.GetValue<string>(), own["format"]!.GetValue<string>()));
        Assert.Equal("18446744073709551615", own["request"]!["seed"]!.GetValue<string>());
        Assert.Equal("miniature", own["model"]!.GetValue<string>());

        HttpResponseMessage words = await PostAsync("no picture"u8.ToArray());
        await RunningServer.AssertProblemAsync(words, 400, "not-a-picture");
        HttpResponseMessage nothing = await PostAsync([]);
        await RunningServer.AssertProblemAsync(nothing, 400, "not-a-picture");
        HttpResponseMessage plain = await PostAsync(PlainPicture());
        await RunningServer.AssertProblemAsync(plain, 400, "no-record");
    }

    [Fact]
    public async Task Records_OfAFileBeyondTheLimit_AreRefused()
    {
        await using RunningServer small = await RunningServer.StartAsync(options => options with
        {
            Limits = options.Limits with { UploadBytes = 1000 },
        });
        byte[] file = TestGallery.PictureOf();
        Assert.True(file.Length > 1000);
        await RunningServer.AssertProblemAsync(await PostAsync(small, file), 413, "body-too-large");
        using var unstated = new PushContent(file);
        HttpResponseMessage answer = await small.Client.PostAsync("/api/v1/records", unstated, Stop);
        await RunningServer.AssertProblemAsync(answer, 413, "body-too-large");
    }

    private static byte[] PlainPicture()
    {
        using Picture picture = MuseAtelier.Tests.Pictures.SamplePicture.Of(TestAtelier.Small);
        return PictureFile.Encode(picture, PictureFormat.Png, new PictureEncodingOptions { Metadata = MetadataLevel.None });
    }

    private static async Task<Job> EndAsync(IJobBoard jobs, Job job)
    {
        while (job.State is JobState.Waiting or JobState.Opening or JobState.Painting)
        {
            await Task.Delay(20, Stop);
            job = jobs.Find(job.Id)!;
        }

        Assert.True(job.State == JobState.Done, job.Problem?.Message);
        return job;
    }

    private async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await server.Client.GetStringAsync(path, Stop))!;

    private async Task<JsonNode> ReadAsync(byte[] file)
    {
        using HttpResponseMessage answer = await PostAsync(file);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!;
    }

    private Task<HttpResponseMessage> PostAsync(byte[] file) => PostAsync(server, file);

    private static async Task<HttpResponseMessage> PostAsync(RunningServer server, byte[] file)
    {
        using var content = new ByteArrayContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await server.Client.PostAsync("/api/v1/records", content, Stop);
    }

    // HttpClient resolves dots and escapes before it sends a path.
    private async Task<string> SendRawAsync(string method, string path)
    {
        Uri address = server.Client.BaseAddress!;
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, Stop);
        Stream stream = client.GetStream();
        string request = $"{method} {path} HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Stop);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Stop);
    }

    // A body without a stated length, which is sent in chunks.
    private sealed class PushContent : HttpContent
    {
        private readonly byte[] _file;

        public PushContent(byte[] file)
        {
            _file = file;
            Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(_file).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
