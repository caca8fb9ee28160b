using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using MuseAtelier.Pictures;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests;

/// <summary>Painting: the preview, the picture, stopping, and what stays over reloads and tabs.</summary>
public sealed partial class PaintingTests(TestBrowser browser, TestServer server) : IClassFixture<TestServer>
{
    private const int Endless = 1000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Paint_FromWords_ShowsPreviewsAndHangsThePicture(bool isChinese)
    {
        string words = isChinese ? "海上的灯塔" : "a lighthouse above the sea";
        await using Visit visit = await Visit.OpenAsync(browser, server, new Look(isChinese), Visit.Quick(Endless));
        Task<IResponse> preview = visit.Page.WaitForResponseAsync(response => response.Url.Contains("/preview", StringComparison.Ordinal));
        await visit.PaintAsync(words);
        await Expect(visit.Progress).ToBeVisibleAsync();
        Assert.Equal(200, (await preview).Status);
        await visit.Stop.ClickAsync();
        await Expect(visit.Progress).ToBeHiddenAsync();
        await visit.SettleAsync(Visit.Quick(4));
        await visit.PaintToTheEndAsync(words);
        await Expect(visit.Progress).ToBeHiddenAsync();
        string file = Assert.Single(PaintedPicture.FilesOf(server, words));
        Assert.Equal(4, PictureFile.Read(file).ReadRecord()!.Request.Steps);
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Stop_WhileItPaints_EndsWithinAStep()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, settings: Visit.Quick(Endless));
        await visit.PaintAsync("an endless sea");
        await visit.HearAsync("Painting begins, 1000 steps");
        await visit.Stop.ClickAsync();
        await visit.HearAsync("Stopped");
        await Expect(visit.Paint).ToBeVisibleAsync();
        Assert.Equal("stopped", await LatestStateAsync(visit));
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Upscaler_BetweenTwoPasses_TellsItsTiles()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server);
        IAPIResponse answer = await visit.Page.APIRequest.GetAsync(new Uri(new Uri(visit.Page.Url), "/api/v1/state").ToString());
        JsonNode state = JsonNode.Parse(await answer.TextAsync())!;
        state["jobs"] = JsonNode.Parse(
            """
            [{
              "id": "enlarged", "state": "painting", "kind": "paint", "origin": "page", "accepted": "2026-01-01T00:00:00Z", "count": 1,
              "finished": 0, "step": 4, "steps": 8, "tile": 3, "tiles": 12, "phase": "enlarging", "preview": 0, "pictures": [],
              "request": { "prompt": "a sea", "width": 256, "height": 256 }
            }]
            """);
        await visit.Page.RouteAsync("**/api/v1/events", route => route.FulfillAsync(new RouteFulfillOptions
        {
            ContentType = "text/event-stream",
            Body = $"event: state\ndata: {state.ToJsonString()}\n\n",
        }));
        await visit.Page.ReloadAsync();
        await Expect(visit.Page.Locator("#note")).ToContainTextAsync("Enlarging");
        await Expect(visit.Page.Locator("#note")).ToContainTextAsync("Tile 3 of 12");
        // All tiles together are a ninth step.
        double share = await visit.Page.Locator("#stage progress").EvaluateAsync<double>("(each) => each.value");
        Assert.Equal((4 + 3 / 12.0) / 9, share, 1e-6);
    }

    [Fact]
    public async Task Reload_InMidJob_GoesOnWhereItWas()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server, settings: Visit.Quick(Endless));
        await visit.PaintAsync("a sea that stays");
        // Until then the model may still be opened.
        await visit.HearAsync("Painting begins, 1000 steps");
        string id = await LatestIdAsync(visit);
        await visit.Page.ReloadAsync();
        await Expect(visit.Vision).ToHaveValueAsync("a sea that stays");
        await Expect(visit.Progress).ToBeVisibleAsync();
        Assert.Equal(id, await LatestIdAsync(visit));
        Assert.Equal("painting", await LatestStateAsync(visit));
        await visit.Stop.ClickAsync();
        await Expect(visit.Progress).ToBeHiddenAsync();
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Tabs_OfOneVisitor_ShowTheSameQueue()
    {
        await using Visit first = await Visit.OpenAsync(browser, server, settings: Visit.Quick(Endless));
        await first.PaintAsync("the first sea");
        Visit second = await first.OpenTabAsync();
        await Expect(second.Progress).ToBeVisibleAsync();
        await second.Vision.FillAsync("the second sea");
        await second.AddToQueue.ClickAsync();
        ILocator queue = first.Page.Locator("#queue");
        await Expect(queue).ToContainTextAsync("the second sea");
        await queue.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { NameRegex = RemoveName() }).First.ClickAsync();
        await Expect(second.Page.Locator("#queue")).Not.ToContainTextAsync("the second sea");
        await second.Stop.ClickAsync();
        await Expect(first.Progress).ToBeHiddenAsync();
        first.RequireQuiet();
        second.RequireQuiet();
    }

    [Fact]
    public async Task Script_AsPrompt_IsWordsEverywhere()
    {
        const string words = "<script>window.struck = 1</script><img src=x onerror='window.struck = 1'>";
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.PaintToTheEndAsync(words);
        await Expect(visit.Page.Locator("#label")).ToContainTextAsync("<script>");
        await visit.Page.Keyboard.PressAsync("Escape");
        await visit.Page.GotoAsync($"{server.Address}#gallery");
        ILocator gallery = visit.Page.Locator("#gallery");
        await Expect(gallery.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { NameRegex = ScriptName() }).First).ToBeVisibleAsync();
        Assert.False(await visit.Page.EvaluateAsync<bool>("() => 'struck' in window"));
        visit.RequireQuiet();
    }

    [Fact]
    public async Task Server_GoneAndBack_KeepsTheWordsAndReconnects()
    {
        await using Visit visit = await Visit.OpenAsync(browser, server);
        await visit.Vision.FillAsync("words that stay");
        await server.StopAsync();
        ILocator gone = visit.Page.GetByText("The studio is dark", new PageGetByTextOptions { Exact = false }).First;
        await Expect(gone).ToBeVisibleAsync();
        Assert.Empty(await Axe.FindInAllLooksAsync(visit.Page, "gone"));
        await visit.Vision.FillAsync("words that stay, and grow");
        await server.StartAsync();
        await Expect(gone).ToBeHiddenAsync();
        await Expect(visit.Vision).ToHaveValueAsync("words that stay, and grow");
        await visit.Paint.ClickAsync();
        await Expect(visit.Hung("words that stay, and grow")).ToBeVisibleAsync();
    }

    private static async Task<JsonElement> LatestAsync(Visit visit)
    {
        IAPIResponse response = await visit.Page.APIRequest.GetAsync(new Uri(new Uri(visit.Page.Url), "/api/v1/jobs").ToString());
        return (await response.JsonAsync())!.Value.GetProperty("jobs")[0];
    }

    private static async Task<string> LatestStateAsync(Visit visit) => (await LatestAsync(visit)).GetProperty("state").GetString()!;

    private static async Task<string> LatestIdAsync(Visit visit) => (await LatestAsync(visit)).GetProperty("id").GetString()!;

    [GeneratedRegex("^Remove(?! all)")]
    private static partial Regex RemoveName();

    [GeneratedRegex("^<script>")]
    private static partial Regex ScriptName();
}
