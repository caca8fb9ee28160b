using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MuseAtelier.Server.Logging;
using MuseAtelier.Server.Security;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Security;

/// <summary>What every answer has, and what becomes of requests that no route takes.</summary>
public sealed class AnswerTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/api/v1/models")]
    [InlineData("GET", "/no/such/route")]
    [InlineData("DELETE", "/health")]
    [InlineData("GET", "/metrics")]
    public async Task Answer_OfEveryKind_HasTheHeaders(string method, string path)
    {
        using HttpResponseMessage answer = await server.SendAsync(new HttpMethod(method), path);
        string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Opener-Policy")));
        Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Resource-Policy")));
        Assert.True(answer.Headers.Contains("Permissions-Policy"));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("GET", "/no/such/route", 404, "no-such-route")]
    [InlineData("GET", "/../../etc/passwd", 404, "no-such-route")]
    [InlineData("POST", "/index.html", 405, "no-such-method")]
    [InlineData("DELETE", "/api/v1/models", 405, "no-such-method")]
    [InlineData("POST", "/api/v1/models/no-such/choose", 404, "no-such-model")]
    public async Task Request_ThatNoRouteTakes_IsAnsweredWithAProblem(string method, string path, int status, string kind)
    {
        using HttpResponseMessage answer = await server.SendAsync(new HttpMethod(method), path);
        await RunningServer.AssertProblemAsync(answer, status, kind);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400")]
    [InlineData("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", "505")]
    [InlineData("NOTHTTP\r\n\r\n", "400")]
    public async Task Bytes_ThatAreNoHttp_AreRefused(string bytes, string status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", server.Client.BaseAddress!.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(bytes), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        string? line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith($"HTTP/1.1 {status}", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_BeyondTheLimit_IsRefused()
    {
        using HttpResponseMessage answer = await server.PostAsync("/api/v1/jobs", new string(' ', 300_000), "application/json");
        await RunningServer.AssertProblemAsync(answer, 413, "body-too-large");
    }

    [Fact]
    public async Task InvokeAsync_OfAFailureThatNobodyExpects_TellsTheLogAloneWhatFailed()
    {
        List<string> lines = [];
        using ILoggerFactory log = LoggerFactory.Create(logging => logging.AddProvider(new LineLogger(lines.Add)));
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        var lastResort = new LastResort(_ => throw new InvalidOperationException("secret of /home"), log.CreateLogger<LastResort>());
        await lastResort.InvokeAsync(context);
        string text = Encoding.UTF8.GetString(body.ToArray());
        Assert.Equal(500, context.Response.StatusCode);
        Assert.StartsWith("{\"problem\":{\"kind\":\"failed\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("secret", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_BeyondTheLimit_IsRefused()
    {
        using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, "/", $"X-Long: {new string('a', 40_000)}");
        Assert.Equal(431, (int)answer.StatusCode);
    }
}
