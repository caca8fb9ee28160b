using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Requests;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>The routes of jobs and events, over a real connection.</summary>
/// <param name="shared">The Miniature.</param>
public sealed class JobRoutesTests(NarrowAtelier shared) : IDisposable
{
    private readonly MemoryGallery _gallery = new();

    public void Dispose() => _gallery.Dispose();

    [Fact]
    public async Task APictureByHttp_HasTheBytesThatItsSeedGivesAlone()
    {
        await using JobServer server = await JobServer.StartAsync(shared.Atelier, _gallery);
        PictureRequest small = TestAtelier.Small;
        string body = $$"""
            {
              "prompt": "{{small.Prompt}}", "width": 256, "height": 256, "steps": 3, "seed": "7", "count": 2, "format": "webp",
              "quality": 90
            }
            """;
        string? id = null;
        List<string> types = [];
        await foreach ((string type, JsonNode data) in server.EventsAsync())
        {
            types.Add(type);
            if (id is null)
            {
                // The state comes first; it also has what the page offers.
                Assert.Equal("euler_a", (string?)data["offer"]!["defaults"]!["sampler"]);
                (int status, JsonNode accepted) = await server.PostAsync("/api/v1/jobs", body);
                Assert.Equal(202, status);
                id = (string)accepted["id"]!;
            }

            if (type == "job" && (string?)data["state"] is "done" or "failed") break;
        }

        Assert.Equal("state", types[0]);
        Assert.Contains("queue", types);
        (_, JsonNode job) = await server.SendAsync(HttpMethod.Get, $"/api/v1/jobs/{id}");
        Assert.Equal("done", (string?)job["state"]);
        Assert.Equal("7", (string?)job["request"]!["seed"]);
        var options = new PictureEncodingOptions { Quality = 90 };
        string[] names = [.. job["pictures"]!.AsArray().Select(name => (string)name!)];
        for (int index = 0; index < 2; index++)
        {
            Picture alone = await shared.ReferenceAsync(small with { Seed = 7 + (ulong)index });
            Assert.Equal(PictureFile.Encode(alone, PictureFormat.WebP, options), _gallery.Files[names[index]]);
        }
    }

    [Fact]
    public async Task AVerification_FindsThePictureAsItWasPainted()
    {
        await using BoardSetup setup = await BoardSetup.StartAsync(shared.Atelier, _gallery);
        Picture picture = await shared.ReferenceAsync(TestAtelier.Small);
        await _gallery.AddAsync("a.png", PictureFile.Encode(picture, PictureFormat.Png), TestContext.Current.CancellationToken);
        var request = new JobRequest { Picture = picture.Request, Verifies = "a.png" };
        string id = (await setup.Board.AcceptAsync(request, TestContext.Current.CancellationToken)).Id;
        MuseAtelier.Server.Jobs.Job job = await setup.UntilAsync(id, job => job.Ended is not null);
        Assert.Equal(("SameBytes", true), (job.Verification?.Outcome, job.Verification?.Holds));
        Assert.Single(_gallery.Added);
    }

    [Fact]
    public async Task AReconnectedClient_GetsTheStateFirst()
    {
        var atelier = new SteppedAtelier();
        await using JobServer server = await JobServer.StartAsync(atelier, _gallery);
        await server.PostAsync("/api/v1/jobs", """{"prompt": "a"}""");
        SteppedAtelier.Painting first = await atelier.NextAsync();
        (int status, JsonNode second) = await server.PostAsync("/api/v1/jobs", """{"prompt": "b"}""");
        Assert.Equal((202, "waiting", 0), (status, (string?)second["state"], (int?)second["place"]));
        first.Report(1);
        for (int connection = 0; connection < 2; connection++)
        {
            await foreach ((string type, JsonNode data) in server.EventsAsync())
            {
                Assert.Equal("state", type);
                Assert.Equal(["painting", "waiting"], data["jobs"]!.AsArray().Select(job => (string?)job!["state"]));
                Assert.Equal(1, (int?)data["jobs"]![0]!["step"]);
                break;
            }
        }

        (_, JsonNode moved) = await server.PostAsync($"/api/v1/jobs/{second["id"]}/move", """{"place": 3}""");
        Assert.Equal(0, (int?)moved["place"]);
        (_, JsonNode removed) = await server.SendAsync(HttpMethod.Delete, "/api/v1/jobs");
        Assert.Equal("stopped", (string?)removed["jobs"]![0]!["state"]);
    }

    [Fact]
    public async Task AStream_EndsWhenTheServerStops()
    {
        await using JobServer server = await JobServer.StartAsync(new SteppedAtelier(), _gallery);
        await server.PostAsync("/api/v1/jobs", """{"prompt": "a"}""");
        IAsyncEnumerator<(string, JsonNode)> events = server.EventsAsync().GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await events.MoveNextAsync());
        long begin = Stopwatch.GetTimestamp();
        await server.App.StopAsync(TestContext.Current.CancellationToken);
        while (await events.MoveNextAsync())
        {
        }

        Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await events.DisposeAsync();
    }

    [Fact]
    public async Task BadInput_IsAnsweredWithAProblem()
    {
        await using JobServer server = await JobServer.StartAsync(new SteppedAtelier(), _gallery);
        await Expect(404, "no-such-job", server.SendAsync(HttpMethod.Get, "/api/v1/jobs/none"));
        await Expect(404, "no-such-job", server.SendAsync(HttpMethod.Delete, "/api/v1/jobs/none"));
        await Expect(404, "no-such-job", server.SendAsync(HttpMethod.Get, "/api/v1/jobs/none/preview"));
        await Expect(404, "no-such-job", server.PostAsync("/api/v1/jobs/none/move", """{"place": 0}"""));
        await Expect(400, "bad-value", server.PostAsync("/api/v1/jobs/none/move", """{"place": -1}"""));
        await Expect(404, "no-such-route", server.SendAsync(HttpMethod.Get, "/api/v1/nothing"));
        await Expect(405, "no-such-method", server.SendAsync(HttpMethod.Put, "/api/v1/jobs"));
        await Expect(400, "bad-json", server.PostAsync("/api/v1/jobs", ""));
        await Expect(400, "bad-json", server.PostAsync("/api/v1/jobs", "{"));
        await Expect(400, "bad-json", server.PostAsync("/api/v1/jobs", """{"prompt": "a", "prompt": "b"}"""));
        await Expect(400, "bad-json", server.PostAsync("/api/v1/jobs", new string('[', 10_000)));
        await Expect(400, "bad-json", server.PostAsync("/api/v1/jobs", """{"\ud800": 1}"""));
        await Expect(400, "bad-json", server.SendAsync(HttpMethod.Post, "/api/v1/jobs", new ByteArrayContent([0x22, 0xFF, 0x22])));
        await Expect(404, "no-such-model", server.PostAsync("/api/v1/jobs", """{"prompt": "a", "model": "../x"}"""));
        byte[] large = Encoding.UTF8.GetBytes(new string(' ', 300_000));
        await Expect(413, "body-too-large", server.SendAsync(HttpMethod.Post, "/api/v1/jobs", new ByteArrayContent(large)));
        var streamed = new StreamContent(new NetworkStream(large, atATime: 8192));
        await Expect(413, "body-too-large", server.SendAsync(HttpMethod.Post, "/api/v1/jobs", streamed));

        static async Task Expect(int status, string kind, Task<(int Status, JsonNode Json)> answer)
        {
            (int found, JsonNode json) = await answer;
            Assert.Equal((status, kind), (found, (string?)json["problem"]!["kind"]));
            Assert.NotEmpty((string?)json["problem"]!["message"] ?? "");
        }
    }
}
