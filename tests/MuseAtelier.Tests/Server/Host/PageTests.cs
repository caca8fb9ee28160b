using System.IO.Compression;
using System.Net;
using System.Text;
using MuseAtelier.Server.Page;

namespace MuseAtelier.Tests.Server.Host;

public sealed class PageTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Page_AtTheRoot_IsIndexHtml()
    {
        using HttpResponseMessage root = await server.SendAsync(HttpMethod.Get, "/");
        using HttpResponseMessage file = await server.SendAsync(HttpMethod.Get, "/index.html");
        Assert.Equal("text/html; charset=utf-8", root.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-cache", root.Headers.CacheControl!.ToString());
        Assert.Equal(await Content(root), await Content(file));
        Assert.StartsWith("<!doctype html>", await Content(root), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Page_AskedForAgain_IsNotSentAgain()
    {
        using HttpResponseMessage first = await server.SendAsync(HttpMethod.Get, "/");
        using HttpResponseMessage second = await server.SendAsync(HttpMethod.Get, "/", $"If-None-Match: {first.Headers.ETag}");
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await Content(second));
        using HttpResponseMessage third = await server.SendAsync(HttpMethod.Get, "/", "If-None-Match: \"other\"");
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Head_OfThePage_HasTheLengthAndNoBody()
    {
        using HttpResponseMessage head = await server.SendAsync(HttpMethod.Head, "/");
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.True(head.Content.Headers.ContentLength > 0);
        Assert.Empty(await Content(head));
    }

    [Fact]
    public async Task EveryFile_OfThePage_IsServedWithItsType()
    {
        foreach (PageFile file in PageFiles.Embedded)
        {
            using HttpResponseMessage answer = await server.SendAsync(HttpMethod.Get, $"/{file.Name}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.NotEqual("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public void Compress_OfText_GivesTheSameTextInFewerBytes()
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a page of linen and gold; ", 200)));
        var file = new PageFile("long.css", content);
        Assert.Null(file.For("br, gzip").Encoding);
        file.Compress();
        (byte[] brotli, string? encoding) = file.For("gzip, deflate, br");
        Assert.Equal("br", encoding);
        Assert.True(brotli.Length < content.Length / 10);
        using var decoded = new MemoryStream();
        using (var stream = new BrotliStream(new MemoryStream(brotli), CompressionMode.Decompress)) stream.CopyTo(decoded);
        Assert.Equal(content, decoded.ToArray());
        Assert.Equal("gzip", file.For("br;q=0, gzip").Encoding);
        Assert.Null(file.For("identity").Encoding);
    }

    private static Task<string> Content(HttpResponseMessage answer) =>
        answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
