using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Security;

public sealed class OriginRuleTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Refresh = "/api/v1/models/refresh", Models = "/api/v1/models";

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]:7860")]
    public async Task Host_OfLoopback_IsServed(string host)
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, Models, $"Host: {host}");
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("192.168.1.20:7860")]
    public async Task Host_OfAnotherName_IsRefused(string host)
    {
        foreach (string path in (string[])["/", Models, "/health"])
        {
            using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, path, $"Host: {host}");
            await RunningServer.AssertProblemAsync(answer, 403, "other-host");
        }
    }

    [Theory]
    [InlineData("POST", Refresh, "Origin: http://evil.example")]
    [InlineData("POST", Refresh, "Origin: null")]
    [InlineData("POST", Refresh, "Sec-Fetch-Site: cross-site")]
    [InlineData("POST", Refresh, "Sec-Fetch-Site: same-site")]
    [InlineData("GET", Models, "Sec-Fetch-Site: same-site")]
    [InlineData("GET", "/API/v1/models", "Sec-Fetch-Site: cross-site")]
    [InlineData("GET", "/openapi/v1.json", "Origin: http://localhost:1")]
    public async Task Request_OfAPageElsewhere_IsRefused(string method, string path, string header)
    {
        using HttpResponseMessage answer = await server.SendAsync(new HttpMethod(method), path, header);
        await RunningServer.AssertProblemAsync(answer, 403, "other-origin");
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Request_OfTheOwnPage_IsServed()
    {
        string origin = $"Origin: {server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority)}";
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Post, Refresh, origin, "Sec-Fetch-Site: same-origin");
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Page_ThatAnotherSiteLinksTo_IsServed()
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/", "Sec-Fetch-Site: cross-site");
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Preflight_OfAPageElsewhere_GetsNoPermission()
    {
        using HttpResponseMessage answer = await server.SendAsync(
            HttpMethod.Options, Refresh, "Origin: http://evil.example", "Access-Control-Request-Method: POST");
        await RunningServer.AssertProblemAsync(answer, 403, "other-origin");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData(null)]
    public async Task Body_OfATypeThatNeedsNoPreflight_IsRefused(string? type)
    {
        using HttpResponseMessage answer = await server.PostAsync(Refresh, "{}", type);
        await RunningServer.AssertProblemAsync(answer, 415, "bad-content-type");
    }

    [Fact]
    public async Task Body_OfJson_IsServed()
    {
        using HttpResponseMessage answer = await server.PostAsync(Refresh, "{}", "application/json; charset=utf-8");
        Assert.True(answer.IsSuccessStatusCode);
    }
}
