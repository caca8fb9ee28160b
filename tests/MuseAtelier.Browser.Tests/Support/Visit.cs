using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>
/// A visit to the page: what a visitor sees and does, by roles and names, in the language of the page. It notes what the browser complains
/// about and what it fetches from elsewhere.
/// </summary>
internal sealed class Visit : IAsyncDisposable
{
    // Notes each sentence that screen readers are told, so that no test has to be faster than the next one.
    private const string Listening =
        """
        window.spoken = [];
        new MutationObserver((changes) => {
          for (const { target } of changes) {
            const region = (target.nodeType === 1 ? target : target.parentElement)?.closest('#live, [data-live]');
            if (region?.textContent) {
              window.spoken.push(region.textContent);
            }
          }
        }).observe(document, { childList: true, characterData: true, subtree: true });
        """;

    private readonly TestServer _server;
    private readonly ConcurrentQueue<string> _complaints = new();

    private Visit(IPage page, TestServer server, Look look)
    {
        Page = page;
        _server = server;
        IsChinese = look.IsChinese;
        page.PageError += (_, error) => _complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            // What the page was told of may be gone a moment later: a preview whose job has ended, a picture that was removed.
            bool isGone = message.Text.Contains("status of 404", StringComparison.Ordinal);
            if (message.Type is "error" or "warning" && !isGone) _complaints.Enqueue($"{message.Text} ({message.Location})");
        };
        page.Request += (_, request) =>
        {
            string[] own = [server.Address, "data:", "blob:"];
            bool isOwn = own.Any(start => request.Url.StartsWith(start, StringComparison.Ordinal));
            if (!isOwn) _complaints.Enqueue($"fetched from elsewhere: {request.Url}");
        };
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>The language that names are looked for in.</summary>
    public bool IsChinese { get; set; }

    /// <summary>The words of the prompt.</summary>
    public ILocator Vision => Page.GetByRole(AriaRole.Textbox, Named("绘意", "Vision"));

    /// <summary>The large button.</summary>
    public ILocator Paint => Page.GetByRole(AriaRole.Button, Named("挥毫泼墨", "Paint"));

    /// <summary>The large button while a picture is painted.</summary>
    public ILocator AddToQueue => Page.GetByRole(AriaRole.Button, Named("列入候画", "Add to the queue"));

    /// <summary>The button that stops the picture on the easel.</summary>
    public ILocator Stop => Page.GetByRole(AriaRole.Button, Named("搁笔", "Stop"));

    /// <summary>The progress of the picture on the easel.</summary>
    public ILocator Progress => Page.Locator("#stage").GetByRole(AriaRole.Progressbar);

    /// <summary>Opens the page with settings that paint quickly, which an earlier visit could have left.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="server">The server.</param>
    /// <param name="look">How the visitor sees the page.</param>
    /// <param name="settings">More settings of the desk.</param>
    public static async Task<Visit> OpenAsync(TestBrowser browser, TestServer server, Look? look = null, object? settings = null)
    {
        Look seen = look ?? new Look();
        await server.StopJobsAsync();
        IPage page = await browser.OpenAsync(seen.Options());
        var visit = new Visit(page, server, seen);
        string kept = JsonSerializer.Serialize(settings ?? Quick(4));
        await page.AddInitScriptAsync($"localStorage.getItem('muse.settings') ?? localStorage.setItem('muse.settings', '{kept}')");
        await page.AddInitScriptAsync(Listening);
        await page.GotoAsync(server.Address);
        await Assertions.Expect(visit.Paint).ToBeVisibleAsync();
        // The strip shows its parts when the page knows the server's state.
        await Assertions.Expect(page.Locator("#strip").GetByRole(AriaRole.Button).First).ToBeVisibleAsync();
        return visit;
    }

    /// <summary>The smallest picture, with the given number of steps.</summary>
    public static object Quick(int steps) =>
        new { width = 256, height = 256, scale = 256, steps, guidance = 1, frame = "none", seed = "7", isSeedLocked = true };

    /// <summary>Opens a second tab of the same visitor.</summary>
    public async Task<Visit> OpenTabAsync()
    {
        IPage page = await Page.Context.NewPageAsync();
        var visit = new Visit(page, _server, new Look(IsChinese));
        await page.GotoAsync(_server.Address);
        return visit;
    }

    /// <summary>A button by its name.</summary>
    public ILocator Button(string chinese, string english) => Page.GetByRole(AriaRole.Button, Named(chinese, english));

    /// <summary>A text in the page's language.</summary>
    public string Text(string chinese, string english) => IsChinese ? chinese : english;

    /// <summary>The finished picture on the wall with the given words.</summary>
    public ILocator Hung(string words) =>
        Page.Locator("#stage").GetByRole(AriaRole.Img, new LocatorGetByRoleOptions { Name = words, Exact = true });

    /// <summary>Writes the words and begins to paint.</summary>
    public async Task PaintAsync(string words)
    {
        await Vision.FillAsync(words);
        await Paint.ClickAsync();
    }

    /// <summary>Paints a picture and waits until it hangs.</summary>
    public async Task PaintToTheEndAsync(string words)
    {
        await PaintAsync(words);
        await Assertions.Expect(Hung(words)).ToBeVisibleAsync();
    }

    /// <summary>Waits until screen readers have been told a sentence since the page was loaded.</summary>
    public Task HearAsync(string sentence) => Page.WaitForFunctionAsync("(sentence) => window.spoken.includes(sentence)", sentence);

    /// <summary>Loads the page again with other settings of the desk.</summary>
    public async Task SettleAsync(object settings)
    {
        await Page.EvaluateAsync("(settings) => localStorage.setItem('muse.settings', JSON.stringify(settings))", settings);
        await Page.ReloadAsync();
        await Assertions.Expect(Paint).ToBeVisibleAsync();
    }

    /// <summary>Draws with the brush over the picture that is painted from.</summary>
    /// <param name="points">The points of the stroke, as shares of the width and the height.</param>
    public async Task BrushAsync(params (float X, float Y)[] points)
    {
        ILocator mask = Page.Locator(".draft-mask");
        await mask.ScrollIntoViewIfNeededAsync();
        LocatorBoundingBoxResult box = (await mask.BoundingBoxAsync())!;
        foreach ((float x, float y) in points)
        {
            await Page.Mouse.MoveAsync(box.X + box.Width * x, box.Y + box.Height * y);
            if ((x, y) == points[0]) await Page.Mouse.DownAsync();
        }

        await Page.Mouse.UpAsync();
    }

    /// <summary>Asserts that the browser had nothing to complain about, and that nothing was fetched from elsewhere.</summary>
    public void RequireQuiet() => Assert.True(_complaints.IsEmpty, string.Join(Environment.NewLine, _complaints));

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();

    private PageGetByRoleOptions Named(string chinese, string english) => new() { Name = Text(chinese, english), Exact = true };
}
