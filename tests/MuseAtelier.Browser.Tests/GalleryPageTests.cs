using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>The waiting pictures, the large view, and files that cannot be read.</summary>
public sealed class GalleryPageTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Queue_ByKeysAndButtons_IsReorderedAndTakenBack()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, settings: Visit.Quick(1000));
        ILocator rows = visit.Page.Locator("#queue").GetByRole(AriaRole.Listitem);
        await visit.PaintAsync("the first sea");
        await Expect(visit.Progress).ToBeVisibleAsync();
        await AddAsync(visit, rows, "the second sea");
        await AddAsync(visit, rows, "the third sea");
        await rows.Last.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Remove" }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Alt+ArrowUp");
        await Expect(rows.First).ToContainTextAsync("the third sea");
        await visit.HearAsync("Moved to place 1");
        await visit.Vision.FillAsync("words in work");
        await rows.First.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Take back and edit" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(visit.Vision).ToHaveValueAsync("the third sea");
        await visit.Button("撤回", "Undo").ClickAsync();
        await Expect(visit.Vision).ToHaveValueAsync("words in work");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.First).ToContainTextAsync("the third sea");
        await visit.Button("全部移去", "Remove all").ClickAsync();
        await Expect(rows).ToHaveCountAsync(0);
        await visit.Stop.ClickAsync();
        visit.RequireQuiet();
    }

    [Fact]
    public async Task LargeView_ByKeys_StepsRemovesAndGivesTheFocusBack()
    {
        await PaintedPicture.PaintAsync(server, "an older harbour");
        await PaintedPicture.PaintAsync(server, "a newer harbour");
        await using Visit visit = await Visit.OpenAsync(browser, server);
        IKeyboard keyboard = visit.Page.Keyboard;
        await keyboard.PressAsync("g");
        ILocator newer = Tile(visit, "a newer harbour"), older = Tile(visit, "an older harbour");
        ILocator large = visit.Page.GetByRole(AriaRole.Dialog);
        await newer.FocusAsync();
        await keyboard.PressAsync("Enter");
        await Expect(large).ToHaveAccessibleNameAsync("a newer harbour");
        await keyboard.PressAsync("ArrowRight");
        await Expect(large).ToHaveAccessibleNameAsync("an older harbour");
        await using (HeldAnswer removal = await HeldAnswer.HoldAsync(visit.Page, "DELETE", "**/api/v1/pictures/*"))
        {
            await keyboard.PressAsync("Delete");
            await Expect(large).Not.ToHaveAccessibleNameAsync("an older harbour");
            await removal.AskedAsync();
            // The removal is not answered yet.
            await keyboard.PressAsync("Control+z");
        }

        await visit.HearAsync("One picture is back");
        await keyboard.PressAsync("Home");
        await keyboard.PressAsync("Escape");
        await Expect(large).ToBeHiddenAsync();
        await Expect(newer).ToBeFocusedAsync();
        await Expect(older).ToBeVisibleAsync();
        visit.RequireQuiet();
    }

    [Fact]
    public async Task File_WithoutPicture_IsRefusedWithItsRemedy()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server);
        var notes = new FilePayload { Name = "notes.txt", MimeType = "text/plain", Buffer = "no picture"u8.ToArray() };
        await visit.Page.SetInputFilesAsync("#drop-file", notes);
        ILocator sentence = visit.Page.GetByText("There is no picture in this file.");
        await Expect(sentence).ToBeVisibleAsync();
        await Expect(visit.Page.GetByText("notes.txt")).ToBeVisibleAsync();
        await Expect(visit.Button("另选一个文件", "Choose another file")).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("Escape");
        await Expect(sentence).ToBeHiddenAsync();
    }

    private static async Task AddAsync(Visit visit, ILocator rows, string words)
    {
        await visit.Vision.FillAsync(words);
        await visit.AddToQueue.ClickAsync();
        await Expect(rows.Last).ToContainTextAsync(words);
    }

    private static ILocator Tile(Visit visit, string words) =>
        visit.Page.Locator("#gallery").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = words, Exact = true });
}
