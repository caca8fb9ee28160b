using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;

namespace MuseAtelier.Browser.Tests.Recording;

/// <summary>
/// Writes pictures of the page's main states, in both languages, by day and by candlelight, on a desktop and on a phone, into the folder
/// that the variable MUSE_SCREENSHOTS names. Without it, this is skipped.
/// </summary>
public sealed class ScreenshotTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    private const string Variable = "MUSE_SCREENSHOTS";

    private static readonly (string Words, int Width, int Height)[] Gallery =
    [
        ("A starry night over a quiet Renaissance city", 640, 512),
        ("The sea at dawn under soft clouds", 768, 432),
        ("A lighthouse above a dark sea, oil painting", 512, 640),
        ("Cypresses beside a river in the evening", 512, 512),
        ("A village in the snow under the moon", 640, 448),
        ("Sunflowers in a blue vase", 448, 576),
    ];

    [Theory]
    [InlineData(false, 1440)]
    [InlineData(true, 1440)]
    [InlineData(false, 375)]
    [InlineData(true, 375)]
    public async Task States_OfThePage_AreWrittenAsPictures(bool isNight, int width)
    {
        string? folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(folder), $"{Variable} names no folder for pictures of the page.");
        Directory.CreateDirectory(folder);
        var finish = new { width = 768, height = 768, scale = 768, steps = 30, frame = "gilded", seed = "7", isSeedLocked = true };
        foreach (bool isChinese in new[] { true, false })
        {
            var look = new Look(isChinese, isNight, width, width < 600 ? 812 : 900);
            await PageStates.WalkAsync(browser, server, look, finish, (state, page) => WriteAsync(folder, state, look, page));
            if (Directory.GetFiles(server.Gallery, "*.png").Length < Gallery.Length)
                foreach ((string words, int pictureWidth, int pictureHeight) in Gallery)
                    await PaintedPicture.PaintAsync(server, words, pictureWidth, pictureHeight, steps: 24);
        }
    }

    private static Task<byte[]> WriteAsync(string folder, string state, Look look, IPage page) =>
        page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{state}-{look}.png") });
}
