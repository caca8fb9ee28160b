using System.Reflection;
using Microsoft.Playwright;
using MuseAtelier.Browser.Tests.Support;

// Pages and pictures share the processor: one test at a time is faster, and no picture is late.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(TestBrowser))]

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>
/// The system's Chromium, started once for all tests. Each test has a context of its own: no cookie or storage is shared.
/// </summary>
public sealed class TestBrowser : IAsyncLifetime
{
    private const float MostMilliseconds = 90_000;

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The path of Chromium; null where there is none.</summary>
    public static string? Executable { get; } = Find();

    /// <summary>Opens an empty page in a context of its own.</summary>
    /// <param name="options">The language, the colour scheme and the size of the window.</param>
    public async Task<IPage> OpenAsync(BrowserNewContextOptions options)
    {
        Assert.SkipWhen(Executable is null, $"No Chromium on the PATH: {string.Join(", ", Names)}.");
        _browser ??= await LaunchAsync();
        IBrowserContext context = await _browser.NewContextAsync(options);
        // Only what hangs waits for so long; the machine may be busy.
        context.SetDefaultTimeout(MostMilliseconds);
        Assertions.SetDefaultExpectTimeout(MostMilliseconds);
        return await context.NewPageAsync();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private async Task<IBrowser> LaunchAsync()
    {
        string package = typeof(TestBrowser).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "PlaywrightPackage").Value!;
        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", package);
        _playwright = await Playwright.CreateAsync();
        return await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Executable,
                // Chromium refuses its sandbox to root, and shared memory is small in containers.
                ChromiumSandbox = Environment.UserName != "root",
                Args = ["--disable-dev-shm-usage", "--disable-gpu"],
            });
    }

    private static string? Find() =>
        (from name in Names
         from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
         let path = Path.Combine(folder, name)
         where File.Exists(path)
         select path).FirstOrDefault();
}
