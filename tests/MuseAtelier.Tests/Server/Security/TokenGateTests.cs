using System.Diagnostics;
using System.Net;
using System.Text;
using MuseAtelier.Server.Security;
using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server.Security;

public sealed class TokenGateTests(TokenGateTests.TokenServer tokens) : IClassFixture<TokenGateTests.TokenServer>
{
    private const string Token = "correct-horse-battery", Models = "/api/v1/models";

    private readonly RunningServer _server = tokens.Server;

    [Fact]
    public async Task Request_WithTheToken_IsServed()
    {
        string basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"anyone:{Token}"));
        foreach (string header in (string[])[$"Bearer {Token}", $"bearer {Token}", $"Basic {basic}"])
        {
            using HttpResponseMessage answer = await _server.SendAsync(HttpMethod.Get, Models, $"Authorization: {header}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData(Models)]
    [InlineData("/")]
    [InlineData("/metrics")]
    [InlineData("/docs/")]
    [InlineData("/no/such/route")]
    public async Task Request_WithoutAToken_IsRefused(string path)
    {
        using HttpResponseMessage answer = await _server.SendAsync(HttpMethod.Get, path);
        string message = await RunningServer.AssertProblemAsync(answer, 401, "token-missing");
        Assert.DoesNotContain(Token, message, StringComparison.Ordinal);
        Assert.True(answer.Headers.Contains("WWW-Authenticate"));
    }

    [Theory]
    [InlineData("Authorization: Bearer correct-horse-batterz")]
    [InlineData("Authorization: Bearer x")]
    [InlineData("Authorization: Basic !!!")]
    [InlineData("Authorization: Basic Og==")]
    [InlineData("Cookie: muse-atelier=correct-horse-battery")]
    public async Task Request_WithAWrongToken_IsRefusedSlowly(string header)
    {
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await _server.SendAsync(HttpMethod.Get, Models, header);
        await RunningServer.AssertProblemAsync(answer, 401, "token-missing");
        Assert.True(Stopwatch.GetElapsedTime(start) > TimeSpan.FromMilliseconds(400));
    }

    [Fact]
    public async Task Page_OpenedWithTheToken_GetsACookieAndAnAddressWithoutIt()
    {
        using HttpResponseMessage opened = await _server.SendAsync(HttpMethod.Get, $"/?token={Token}");
        Assert.Equal(HttpStatusCode.SeeOther, opened.StatusCode);
        Assert.Equal("/", opened.Headers.Location!.ToString());
        string cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie"));
        foreach (string part in (string[])["httponly", "samesite=strict", "path=/"])
            Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Token, cookie, StringComparison.Ordinal);
        using HttpResponseMessage page = await _server.SendAsync(HttpMethod.Get, "/", $"Cookie: {cookie.Split(';')[0]}");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Fact]
    public async Task Health_IsAskedWithoutAToken_AndUnderAnyName()
    {
        using HttpResponseMessage answer = await _server.SendAsync(HttpMethod.Get, "/health", "Host: atelier.example");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task WrongTokens_ManyAtATime_AreNotHeld()
    {
        bool isRefused = false;
        // Only those count that come within half a second, which a busy machine may need for fewer than are held.
        for (int round = 0; round < 20 && !isRefused; round++)
        {
            Task<HttpResponseMessage>[] attempts = [.. Enumerable.Range(0, 40).Select(i =>
                _server.SendAsync(HttpMethod.Get, Models, $"Authorization: Bearer wrong-{i}"))];
            HttpResponseMessage[] answers = await Task.WhenAll(attempts);
            Assert.All(answers, answer => Assert.Contains((int)answer.StatusCode, (int[])[401, 429]));
            isRefused = answers.Any(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
            foreach (HttpResponseMessage answer in answers) answer.Dispose();
        }

        Assert.True(isRefused);
    }

    [Fact]
    public void Draw_GivesTokensOf256Bits_ThatDiffer()
    {
        string[] drawn = [.. Enumerable.Range(0, 100).Select(_ => AccessToken.Draw())];
        Assert.Equal(100, drawn.Distinct().Count());
        Assert.All(drawn, token => Assert.Matches("^[A-Za-z0-9_-]{43}$", token));
    }

    /// <summary>A server with a token, for all tests of the class.</summary>
    public sealed class TokenServer : IAsyncLifetime
    {
        /// <summary>The server.</summary>
        public RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await RunningServer.StartAsync(options => options with { Token = Token });

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
