using System.Text.RegularExpressions;
using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>A gallery of 500 pictures: copies of one that was painted, each with a name and a time of its own.</summary>
public sealed partial class GalleryTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    private const int Count = 500;

    [Fact]
    public async Task Gallery_Of500Pictures_ShowsSearchesAndRemoves()
    {
        Assert.SkipWhen(TestBrowser.Executable is null, "No Chromium on the PATH.");
        await FillAsync();
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.Page.GotoAsync($"{server.Address}#gallery");
        ILocator gallery = visit.Page.Locator("#gallery"),
            pictures = gallery.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { NameRegex = Copied() });
        await Expect(gallery).ToContainTextAsync("500 pictures");
        await Expect(pictures.First).ToBeVisibleAsync();
        Assert.InRange(await pictures.CountAsync(), 1, 300);
        await pictures.First.FocusAsync();
        await visit.Page.Keyboard.PressAsync("End");
        await Expect(pictures).ToHaveCountAsync(Count);
        await Expect(pictures.Last).ToBeFocusedAsync();
        ILocator search = gallery.GetByRole(AriaRole.Searchbox);
        await search.FillAsync("no such words");
        await Expect(gallery).ToContainTextAsync("No vision contains");
        await search.FillAsync("COPIED");
        await Expect(gallery).ToContainTextAsync("500 pictures");
        await pictures.First.FocusAsync();
        await visit.Page.Keyboard.PressAsync("Delete");
        await Expect(gallery).ToContainTextAsync("499 pictures");
        await visit.Button("撤回", "Undo").ClickAsync();
        await Expect(gallery).ToContainTextAsync("500 pictures");
        visit.RequireQuiet();
    }

    private async Task FillAsync()
    {
        string id = await PaintedPicture.PaintAsync(server, "a copied harbour"),
            first = Directory.GetFiles(server.Gallery, id, SearchOption.AllDirectories).Single();
        await server.StopAsync();
        DateTime newest = File.GetLastWriteTimeUtc(first);
        for (int i = 1; i < Count; i++)
        {
            string copy = Path.Combine(Path.GetDirectoryName(first)!, FormattableString.Invariant($"copy-{i:d4}.png"));
            File.Copy(first, copy);
            File.SetLastWriteTimeUtc(copy, newest.AddHours(-i));
        }

        await server.StartAsync();
    }

    [GeneratedRegex("a copied harbour")]
    private static partial Regex Copied();
}
