using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using MuseAtelier.Pictures;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>Painting with LoRAs: the drawer in which they are found, their strengths, and what a picture gives back.</summary>
public sealed class MannerTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task AManner_TakenUp_PaintsAndComesBackWithThePicture()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server);
        IPage page = visit.Page;
        // The key works once the page knows that the folder has a LoRA.
        await Expect(visit.Button("画风", "Manner")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("m");
        ILocator search = page.GetByRole(AriaRole.Searchbox, new PageGetByRoleOptions { Name = "Search manners" });
        await Expect(search).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("SHUI");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { NameRegex = new("Ink & Silk") }).ClickAsync();
        ILocator strength = page.GetByRole(AriaRole.Spinbutton, new PageGetByRoleOptions { Name = "Strength", Exact = true });
        await Expect(strength).ToBeFocusedAsync();
        await strength.FillAsync("-0.5");
        await page.Keyboard.PressAsync("Tab");
        await Expect(search).ToHaveValueAsync("");
        // Words behind a comment would be part of it.
        await visit.Vision.FillAsync("a heron # at noon");
        await visit.Button("把“shuimo”写进绘意", "shuimo").ClickAsync();
        await Expect(visit.Vision).ToHaveValueAsync("a heron # at noon\nshuimo");
        await visit.Vision.FillAsync("a heron");
        await visit.Button("把“shuimo”写进绘意", "shuimo").ClickAsync();
        await Expect(visit.Vision).ToHaveValueAsync("a heron, shuimo");
        await visit.Button("字句浓淡另调", "Set the strength of the words apart").ClickAsync();
        IReadOnlyList<string> found = await Axe.FindInAllLooksAsync(page, "manner");
        Assert.True(found.Count == 0, string.Join('\n', found));
        await visit.PaintToTheEndAsync("a heron, shuimo");
        await Expect(page.Locator("#label")).ToContainTextAsync("ink -0.5");
        string file = Assert.Single(PaintedPicture.FilesOf(server, "a heron, shuimo"));
        PictureLora lora = Assert.Single(PictureFile.Read(file).ReadRecord().Request.Loras);
        Assert.Equal(("ink.safetensors", -0.5f), (Path.GetFileName(lora.Path), lora.Strength));

        ILocator chip = visit.Button("画风 Ink & Silk，浓淡 -0.5", "Manner Ink & Silk, strength -0.5");
        await chip.PressAsync("Delete");
        await Expect(chip).ToHaveCountAsync(0);
        File.Delete(Path.Combine(server.Loras, "ink.safetensors"));
        await page.ReloadAsync();
        // The key that laid the manner aside has left the picture.
        await visit.Button("复刻", "Recall").ClickAsync();
        // The strength is back; that the file is gone is said.
        await Expect(page.Locator("#manners")).ToContainTextAsync("ink");
        await Expect(page.Locator("#manners")).ToContainTextAsync("not in the folder");
    }
}
