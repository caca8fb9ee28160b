using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>The main states of the page, one after the other as a visitor meets them.</summary>
internal static class PageStates
{
    /// <summary>Visits the states.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="server">A server, whose gallery may be empty.</param>
    /// <param name="look">How the visitor sees the page.</param>
    /// <param name="finish">The settings of the picture that is painted to its end.</param>
    /// <param name="seen">Called in each state, with the state's name.</param>
    public static async Task WalkAsync(TestBrowser browser, TestServer server, Look look, object finish, Func<string, IPage, Task> seen)
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, look, Visit.Quick(1000));
        IPage page = visit.Page;
        await seen("first", page);
        await page.Keyboard.PressAsync("c");
        await Expect(page.Locator("#drawer")).ToBeVisibleAsync();
        await seen("drawer", page);
        await page.Keyboard.PressAsync("c");
        await Expect(page.Locator("#drawer")).ToBeHiddenAsync();
        await visit.PaintAsync(visit.Text("静谧文艺复兴之城上的星夜", "A starry night over a quiet Renaissance city"));
        await Expect(visit.Progress).ToBeVisibleAsync();
        await visit.AddToQueue.ClickAsync();
        await Expect(page.Locator("#queue").GetByRole(AriaRole.Button).First).ToBeVisibleAsync();
        await seen("painting", page);
        await server.StopJobsAsync();
        await Expect(visit.Paint).ToBeVisibleAsync();
        await page.EvaluateAsync("(settings) => localStorage.setItem('muse.settings', JSON.stringify(settings))", finish);
        await page.ReloadAsync();
        await FinishAsync(visit, seen);
    }

    private static async Task FinishAsync(Visit visit, Func<string, IPage, Task> seen)
    {
        IPage page = visit.Page;
        await visit.PaintToTheEndAsync("A wheat field under a golden sky");
        await seen("finished", page);
        await visit.Vision.BlurAsync();
        await page.Keyboard.PressAsync("?");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await seen("keys", page);
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("g");
        ILocator first = page.Locator("#gallery").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "A wheat field" }).First;
        await Expect(first).ToBeVisibleAsync();
        await seen("gallery", page);
        await first.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await seen("large", page);
    }
}
