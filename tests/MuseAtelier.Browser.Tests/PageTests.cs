using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>The page around the painting: languages, keys, phones, and pictures that are dropped.</summary>
public sealed class PageTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Language_Switched_ChangesNamesAndKeepsWords()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, new Look(IsChinese: true));
        await Expect(visit.Page.Locator("html")).ToHaveAttributeAsync("lang", "zh-Hans");
        await visit.Vision.FillAsync("夜色里的港口");
        await visit.Button("EN: Switch to English", "中文: 改用中文").ClickAsync();
        visit.IsChinese = false;
        await Expect(visit.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        await Expect(visit.Vision).ToHaveValueAsync("夜色里的港口");
        await Expect(visit.Paint).ToBeVisibleAsync();
        await visit.Page.ReloadAsync();
        await Expect(visit.Paint).ToBeVisibleAsync();
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Keyboard_Alone_PaintsStopsAndReachesEverything()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, settings: Visit.Quick(1000));
        IKeyboard keyboard = visit.Page.Keyboard;
        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Enter");
        await Expect(visit.Vision).ToBeFocusedAsync();
        await keyboard.TypeAsync("by keys alone");
        await keyboard.PressAsync("Control+Enter");
        await Expect(visit.Progress).ToBeVisibleAsync();
        await Expect(visit.Vision).ToBeFocusedAsync();
        // The model may still be opened.
        await keyboard.PressAsync("Control+.");
        await visit.HearAsync("Stopped");
        await Expect(visit.Progress).ToBeHiddenAsync();
        await visit.Vision.BlurAsync();
        await keyboard.PressAsync("c");
        await Expect(visit.Page.Locator("#drawer")).ToBeVisibleAsync();
        await keyboard.PressAsync("Escape");
        await Expect(visit.Page.Locator("#drawer")).ToBeHiddenAsync();
        await keyboard.PressAsync("?");
        ILocator sheet = visit.Page.GetByRole(AriaRole.Dialog);
        await Expect(sheet).ToBeVisibleAsync();
        await keyboard.PressAsync("Escape");
        await Expect(sheet).ToBeHiddenAsync();
        await keyboard.PressAsync("g");
        await Expect(visit.Page.Locator("#gallery")).ToBeVisibleAsync();
        await keyboard.PressAsync("Escape");
        await keyboard.PressAsync("s");
        await Expect(visit.Paint).ToBeVisibleAsync();
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Phone_Of375Pixels_PaintsWithoutScrollingSideways()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, Look.Phone);
        await Expect(visit.Paint).ToBeInViewportAsync();
        await visit.PaintToTheEndAsync("a small harbour");
        int width = await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth");
        Assert.InRange(width, 1, 375);
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Picture_Dropped_FillsTheDeskAfterOneClick()
    {
        string id = await PaintedPicture.PaintAsync(server, "a picture that comes back");
        string file = Convert.ToBase64String(await File.ReadAllBytesAsync(
            Directory.GetFiles(server.Gallery, id, SearchOption.AllDirectories).Single(), TestContext.Current.CancellationToken));
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.Page.EvaluateAsync(
            """
            (file) => {
              const bytes = Uint8Array.from(atob(file), (each) => each.charCodeAt(0));
              const data = new DataTransfer();
              data.items.add(new File([bytes], 'found.png', { type: 'image/png' }));
              for (const type of ['dragenter', 'dragover', 'drop']) {
                const target = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
                target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
              }
            }
            """,
            file);
        await Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("a picture that comes back");
        await Expect(visit.Vision).ToHaveValueAsync("");
        await visit.Button("全部取用", "Use all of it").ClickAsync();
        await Expect(visit.Vision).ToHaveValueAsync("a picture that comes back");
        visit.RequireQuiet();
    }
}
