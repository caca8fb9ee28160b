using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>The main states of the page, one after the other as a visitor meets them.</summary>
internal static class PageStates
{
    private const string Words = "A starry night over a quiet city";

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
        var notes = new FilePayload { Name = "notes.txt", MimeType = "text/plain", Buffer = "none"u8.ToArray() };
        await page.SetInputFilesAsync("#drop-file", notes);
        await Expect(visit.Button("另选一个文件", "Choose another file")).ToBeFocusedAsync();
        await seen("refused", page);
        await page.Keyboard.PressAsync("Escape");
        await visit.PaintAsync(visit.Text("静谧文艺复兴之城上的星夜", "A starry night over a quiet Renaissance city"));
        await Expect(visit.Progress).ToBeVisibleAsync();
        await visit.AddToQueue.ClickAsync();
        await Expect(page.Locator("#queue").GetByRole(AriaRole.Button).First).ToBeVisibleAsync();
        await seen("painting", page);
        await server.StopJobsAsync();
        await Expect(visit.Paint).ToBeVisibleAsync();
        await visit.SettleAsync(finish);
        await visit.PaintToTheEndAsync(Words);
        await seen("finished", page);
        await DraftAsync(visit, seen);
        await VisitSheetsAsync(visit, server, seen);
        await VisitGalleryAsync(page, seen);
    }

    private static async Task DraftAsync(Visit visit, Func<string, IPage, Task> seen)
    {
        IPage page = visit.Page;
        await visit.Vision.BlurAsync();
        await page.Keyboard.PressAsync("i");
        await visit.BrushAsync((0.4f, 0.7f), (0.6f, 0.7f), (0.55f, 0.9f));
        await Expect(page.Locator("#additions")).ToContainTextAsync(visit.Text("只改局部", "only a part"));
        await page.Locator(".draft-more summary").ClickAsync();
        await page.EvaluateAsync("() => scrollTo(0, 0)");
        await seen("draft", page);
        await page.Locator(".bench-picture").First.ClickAsync();
        await page.Locator("#draft-remove").ClickAsync();
    }

    private static async Task VisitSheetsAsync(Visit visit, TestServer server, Func<string, IPage, Task> seen)
    {
        IPage page = visit.Page;
        ILocator sheet = page.GetByRole(AriaRole.Dialog);
        FileInfo painted = new DirectoryInfo(server.Gallery).GetFiles("*.png").MaxBy(file => file.LastWriteTimeUtc)!;
        await page.SetInputFilesAsync("#drop-file", painted.FullName);
        await Expect(sheet).ToContainTextAsync(Words);
        await seen("record", page);
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("?");
        await Expect(sheet).ToBeVisibleAsync();
        await seen("keys", page);
        await page.Keyboard.PressAsync("Escape");
    }

    private static async Task VisitGalleryAsync(IPage page, Func<string, IPage, Task> seen)
    {
        await page.Keyboard.PressAsync("g");
        ILocator first = page.Locator("#gallery").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = Words }).First;
        await Expect(first).ToBeVisibleAsync();
        await seen("gallery", page);
        await first.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await seen("large", page);
    }
}
