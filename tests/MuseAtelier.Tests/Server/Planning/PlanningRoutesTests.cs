using System.Text.Json.Nodes;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Planning;

[Collection(ClientServer.Name)]
public sealed class PlanningRoutesTests(RunningServer server)
{
    [Fact]
    public async Task Tokens_OfBothPrompts_AreCounted()
    {
        JsonNode counts = await PostAsync("/api/v1/tokens", """{"prompt": "a cat", "negativePrompt": "fog", "syntax": "comfy"}""");
        Assert.Equal(2, counts["prompt"]!["tokens"]!.GetValue<int>());
        Assert.Equal(74, counts["negativePrompt"]!["room"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""{"prompt": 1}""", "bad-value")]
    [InlineData("""{"syntax": "latin"}""", "bad-value")]
    [InlineData("""{"promt": "a"}""", "unknown-field")]
    [InlineData("""[1""", "bad-json")]
    [InlineData("""{"prompt": "\ud800"}""", "bad-value")]
    public async Task Tokens_OfABodyThatIsNone_AreRefused(string body, string kind) =>
        await RunningServer.AssertProblemAsync(await server.PostAsync("/api/v1/tokens", body, "application/json"), 400, kind);

    [Fact]
    public async Task Plan_OfARequest_TellsTimeAndMemory()
    {
        JsonNode one = await PostAsync("/api/v1/plan", """{"prompt": "a cat", "width": 512, "height": 512, "seed": 1}""");
        JsonNode three = await PostAsync("/api/v1/plan", """{"prompt": "a cat", "width": 512, "height": 512, "seed": 2, "count": 3}""");
        Assert.True(one["fits"]!.GetValue<bool>());
        Assert.Equal(one["needed"]!.GetValue<long>(), one["model"]!.GetValue<long>() + one["workspace"]!.GetValue<long>());
        Assert.InRange(one["needed"]!.GetValue<long>(), 1, one["budget"]!.GetValue<long>());
        Assert.Equal(one["seconds"]!.GetValue<double>() * 3, three["seconds"]!.GetValue<double>(), 0.05);
        Assert.Null(one["largest"]);

        // With two passes the shares are those of the larger one.
        JsonNode both = await PostAsync(
            "/api/v1/plan", """{"prompt": "a cat", "width": 256, "height": 256, "hires": {"scale": 2, "upscaler": "latent"}}""");
        Assert.Equal(both["needed"]!.GetValue<long>(), both["model"]!.GetValue<long>() + both["workspace"]!.GetValue<long>());
        await RunningServer.AssertProblemAsync(
            await server.PostAsync("/api/v1/plan", """{"prompt": "", "width": 100}""", "application/json"), 400, "bad-value");
        await RunningServer.AssertProblemAsync(
            await server.PostAsync("/api/v1/plan", """{"prompt": "", "model": "none"}""", "application/json"), 404, "no-such-model");
    }

    [Fact]
    public async Task Plan_BeyondTheBudget_NamesASizeThatFits()
    {
        await using RunningServer small = await RunningServer.StartAsync(options => options with
        {
            Atelier = options.Atelier with { HostMemory = 1L << 30 },
        });
        JsonNode plan = JsonNode.Parse(await ReadAsync(small, """{"prompt": "", "width": 2048, "height": 1024}"""))!;
        Assert.False(plan["fits"]!.GetValue<bool>());
        Assert.Equal("budget-too-small", plan["problem"]!["kind"]!.GetValue<string>());
        Assert.True(plan["needed"]!.GetValue<long>() > 1L << 30);
        (int width, int height) = (plan["largest"]!["width"]!.GetValue<int>(), plan["largest"]!["height"]!.GetValue<int>());
        Assert.InRange(width / (double)height, 1.9, 2.1);
        JsonNode fitting = JsonNode.Parse(await ReadAsync(small, $$"""{"prompt": "", "width": {{width}}, "height": {{height}}}"""))!;
        Assert.True(fitting["fits"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Checklist_OfTheServer_HasEveryLine()
    {
        JsonNode list = JsonNode.Parse(await server.Client.GetStringAsync("/api/v1/checklist", TestContext.Current.CancellationToken))!;
        Assert.Equal(6, list["lines"]!.AsArray().Count);
        Assert.True(list["lines"]![0]!["isDone"]!.GetValue<bool>());
    }

    private static async Task<string> ReadAsync(RunningServer server, string body)
    {
        using HttpResponseMessage answer = await server.PostAsync("/api/v1/plan", body, "application/json");
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private async Task<JsonNode> PostAsync(string path, string body)
    {
        using HttpResponseMessage answer = await server.PostAsync(path, body, "application/json");
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
