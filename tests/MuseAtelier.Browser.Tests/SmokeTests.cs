using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;

namespace MuseAtelier.Browser.Tests;

public sealed class SmokeTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Page_Opens()
    {
        IPage page = await browser.OpenAsync(new BrowserNewContextOptions { Locale = "zh-CN" });
        IResponse? response = await page.GotoAsync(server.Address);
        Assert.Equal(200, response!.Status);
    }
}
