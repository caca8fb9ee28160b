using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;
using static Microsoft.Playwright.Assertions;

namespace MuseAtelier.Browser.Tests.Recording;

/// <summary>
/// Measures the page and the program that serves it, and writes the figures into the file that the variable MUSE_MEASUREMENTS names.
/// Without it, this is skipped. Nothing is asserted of the figures.
/// </summary>
public sealed class MeasurementTests(TestBrowser browser)
{
    private const string Variable = "MUSE_MEASUREMENTS";
    private const int Loads = 15,
        Pictures = 20;

    private static readonly JsonSerializerOptions Form = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    [Fact]
    public async Task Page_AndProgram_AreMeasured()
    {
        string? file = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(file), $"{Variable} names no file for figures.");
        string folder = Directory.CreateTempSubdirectory("muse-measure-").FullName;
        try
        {
            ProgramMemory console = await MuseProgram.RenderAsync(folder, Pictures);
            await using MuseProgram muse = await MuseProgram.ServeAsync(folder);
            (double[] paints, long bytes, int requests) = await LoadAsync(muse.Address);
            ProgramMemory served = await PaintAsync(muse);
            await WriteAsync(file, new { firstPaintMs = paints, bytes, requests }, console, served);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Each load is a first visit: a context of its own, and nothing from the browser's cache.
    private async Task<(double[] FirstPaintMs, long Bytes, int Requests)> LoadAsync(string address)
    {
        var paints = new double[Loads];
        long bytes = 0;
        int requests = 0;
        for (int i = 0; i < Loads; i++)
        {
            IPage page = await browser.OpenAsync(new Look(IsChinese: true).Options());
            PageCost cost = await PageCost.BeginAsync(page);
            await page.GotoAsync(address);
            await page.WaitForFunctionAsync("() => performance.getEntriesByName('first-contentful-paint').length > 0");
            paints[i] = await page.EvaluateAsync<double>("() => performance.getEntriesByName('first-contentful-paint')[0].startTime");
            await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "挥毫泼墨" })).ToBeVisibleAsync();
            await page.WaitForLoadStateAsync(LoadState.Load);
            (bytes, requests) = (cost.Bytes, cost.Requests);
            await page.Context.DisposeAsync();
        }

        return ([.. paints.Order()], bytes, requests);
    }

    private async Task<ProgramMemory> PaintAsync(MuseProgram muse)
    {
        IPage page = await browser.OpenAsync(new Look().Options());
        await page.GotoAsync(muse.Address);
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Paint", Exact = true })).ToBeVisibleAsync();
        var memory = new ProgramMemory { AtFirst = muse.Sample() };
        for (int i = 0; i < Pictures; i++)
        {
            await PaintedPicture.PaintAsync(new Uri(muse.Address), "a starry night", MuseProgram.Side, MuseProgram.Side, MuseProgram.Steps);
            if (i == 0) memory = memory with { AfterOne = muse.Sample() };
        }

        memory = memory with { AfterAll = muse.Sample(), Most = muse.Most };
        await page.Context.DisposeAsync();
        return memory;
    }

    private static async Task WriteAsync(string file, object page, ProgramMemory console, ProgramMemory served)
    {
        await File.WriteAllTextAsync(
            file,
            JsonSerializer.Serialize(
                new
                {
                    date = DateTime.UtcNow,
                    machine = new
                    {
                        processors = Environment.ProcessorCount,
                        system = RuntimeInformation.OSDescription,
                        runtime = RuntimeInformation.FrameworkDescription,
                        muse = PictureProvenance.CurrentEngine,
                    },
                    page,
                    pictures = new { count = Pictures, MuseProgram.Side, MuseProgram.Steps },
                    console,
                    served,
                },
                Form) + "\n",
            TestContext.Current.CancellationToken);
    }
}
