using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using MuseAtelier.Pictures;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>Painting from a picture: a file that is dropped, a picture of the gallery, and the brush for what is painted anew.</summary>
public sealed class SourceTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    private const string DropPlainPicture =
        """
        async () => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 300, height: 200 });
          const pen = canvas.getContext('2d');
          pen.fillStyle = '#1f3d86';
          pen.fillRect(0, 0, 300, 200);
          pen.fillStyle = '#e6c36e';
          pen.fillRect(180, 30, 60, 60);
          const bytes = await new Promise((done) => canvas.toBlob(done, 'image/png'));
          const data = new DataTransfer();
          data.items.add(new File([bytes], 'night.png', { type: 'image/png' }));
          for (const type of ['dragenter', 'dragover', 'drop']) {
            document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
        }
        """;

    [Fact]
    public async Task Picture_WithoutRecordDropped_IsPaintedFrom()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.Page.EvaluateAsync(DropPlainPicture);
        await Expect(visit.Page.Locator("#draft-open")).ToHaveAccessibleNameAsync("Begin from a picture: night.png change 0.60");
        ILocator change = visit.Page.GetByRole(AriaRole.Slider, new PageGetByRoleOptions { Name = "Change" });
        await change.PressAsync("ArrowLeft");
        await Expect(visit.Page.Locator("#additions")).ToContainTextAsync("change 0.55");
        await visit.PaintToTheEndAsync("a night from a plain one");
        await Expect(visit.Page.Locator("#label")).ToContainTextAsync("from night.png · change 0.55");
        string file = Assert.Single(PaintedPicture.FilesOf(server, "a night from a plain one"));
        PictureRequest request = PictureFile.Read(file).ReadRecord().Request;
        Assert.Equal(0.55f, request.Source!.Strength);
        // The picture has the proportions of what it was painted from.
        Assert.Equal((384, 256), (request.Width, request.Height));
        await visit.Button("撤下原稿", "Take it away").ClickAsync();
        await Expect(visit.Button("从一幅画起稿", "Begin from a picture")).ToBeVisibleAsync();
        await visit.Button("复刻", "Recall").ClickAsync();
        // The browser complains about the answer that the file has no record, so that it is not asked whether it is quiet.
        await Expect(visit.Page.Locator("#additions")).ToContainTextAsync("change 0.55");
    }

    [Fact]
    public async Task Mask_Brushed_ChangesOnlyWhatItCovers()
    {
        string source = await PaintedPicture.PaintAsync(server, "a meadow before the storm");
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.Button("以此起稿", "Begin from this").ClickAsync();
        await visit.BrushAsync((0.45f, 0.5f), (0.55f, 0.5f));
        // The brush also works by keys: Space holds it down, and an arrow moves it.
        await visit.Page.Locator(".draft-mask").FocusAsync();
        await visit.Page.Keyboard.DownAsync(" ");
        await visit.Page.Keyboard.PressAsync("Shift+ArrowDown");
        await visit.Page.Keyboard.UpAsync(" ");
        await visit.Page.Locator(".draft-more summary").ClickAsync();
        ILocator pasteBack = visit.Page.GetByRole(AriaRole.Checkbox, new PageGetByRoleOptions { Name = "Keep all else as it is" });
        await Expect(pasteBack).ToBeCheckedAsync();
        await visit.PaintToTheEndAsync("a meadow after the storm");
        await Expect(visit.Page.Locator("#label")).ToContainTextAsync("only a part");
        using DecodedPicture before = PictureFile.Decode(Path.Combine(server.Gallery, source)),
            after = PictureFile.Decode(Assert.Single(PaintedPicture.FilesOf(server, "a meadow after the storm")));
        Assert.Equal((before.Width, before.Height), (after.Width, after.Height));
        // The mask and its soft edge stay far from the first rows.
        int top = before.Width * 32 * 3;
        Assert.Equal(before.Pixels[..top], after.Pixels[..top]);
        Assert.NotEqual(before.Pixels.ToArray(), after.Pixels.ToArray());
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Brush_UndoneErasedAndCleared_LeavesNothingToPaintAnew()
    {
        await PaintedPicture.PaintAsync(server, "a quiet harbour");
        await using Visit visit = await Visit.OpenAsync(browser, server);
        IKeyboard keyboard = visit.Page.Keyboard;
        ILocator chip = visit.Page.Locator("#additions");
        await keyboard.PressAsync("i");
        await visit.BrushAsync((0.3f, 0.3f), (0.4f, 0.4f));
        await Expect(chip).ToContainTextAsync("only a part");
        await keyboard.PressAsync("Control+z");
        await Expect(chip).Not.ToContainTextAsync("only a part");
        await keyboard.PressAsync("Control+Shift+z");
        await Expect(chip).ToContainTextAsync("only a part");
        await keyboard.PressAsync("x");
        await visit.Button("洗净", "Clear").ClickAsync();
        await Expect(chip).Not.ToContainTextAsync("only a part");
        // What was brushed is still there after a reload.
        await visit.BrushAsync((0.6f, 0.6f), (0.7f, 0.6f));
        await Expect(chip).ToContainTextAsync("only a part");
        await visit.Page.ReloadAsync();
        await Expect(chip).ToContainTextAsync("only a part");
        await chip.GetByRole(AriaRole.Button).First.ClickAsync();
        await visit.Page.WaitForFunctionAsync(
            """
            () => {
              const canvas = document.querySelector('.draft-mask');
              const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
              return data.some((value, index) => index % 4 === 3 && value > 0);
            }
            """);
        visit.RequireQuiet();
    }
}
