using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>The first visit, with an empty gallery.</summary>
public sealed class FirstVisitTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    /// <summary>All bytes of the page as they are transferred, heads included.</summary>
    private const int MostBytes = 400_000;

    /// <summary>Scripts and styles are joined, so that the first paint waits for few requests.</summary>
    private const int MostRequests = 32;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_OfTheFirstVisit_StayBelowTheirLimit(bool isChinese)
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, new Look(isChinese));
        PageCost cost = await PageCost.BeginAsync(visit.Page);
        await visit.Page.ReloadAsync(new PageReloadOptions { WaitUntil = WaitUntilState.Load });
        await Expect(visit.Paint).ToBeVisibleAsync();
        Assert.InRange(cost.Bytes, 10_000, MostBytes);
        Assert.InRange(cost.Requests, 5, MostRequests);
        visit.RequireQuiet();
    }
}
