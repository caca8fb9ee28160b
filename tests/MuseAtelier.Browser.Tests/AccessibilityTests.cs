using MuseAtelier.Browser.Tests.Support;

namespace MuseAtelier.Browser.Tests;

/// <summary>What axe finds in the states of the page, by day and by candlelight, in both languages, on a desktop and on a phone.</summary>
public sealed class AccessibilityTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task States_OfThePage_HaveNoViolationsInAnyLook()
    {
        var found = new List<string>();
        await PageStates.WalkAsync(browser, server, new Look(), Visit.Quick(2), async (state, page) =>
            found.AddRange(await Axe.FindInAllLooksAsync(page, state)));
        Assert.True(found.Count == 0, string.Join('\n', found));
    }
}
