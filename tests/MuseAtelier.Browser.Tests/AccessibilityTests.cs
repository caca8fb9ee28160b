using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>What axe finds in the states of the page: WCAG 2.2 A and AA, and best practices.</summary>
public sealed class AccessibilityTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    private static readonly AxeRunOptions Rules = new()
    {
        RunOnly = new RunOnlyOptions
        {
            Type = "tag",
            Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        },
    };

    [Theory]
    [InlineData(false, false, 1440)]
    [InlineData(true, true, 1440)]
    [InlineData(true, false, 375)]
    public async Task States_OfThePage_HaveNoViolations(bool isChinese, bool isNight, int width)
    {
        var found = new List<string>();
        await PageStates.WalkAsync(browser, server, new Look(isChinese, isNight, width), Visit.Quick(2), CheckAsync);
        Assert.True(found.Count == 0, string.Join('\n', found));

        async Task CheckAsync(string state, IPage page)
        {
            AxeResult result = await page.RunAxe(Rules);
            found.AddRange(
                from violation in result.Violations
                from node in violation.Nodes
                let reasons = string.Join("; ", node.Any.Concat(node.All).Concat(node.None).Select(check => check.Message))
                select $"{state}: {violation.Id} at {node.Target}: {node.Html} {reasons}");
        }
    }
}
