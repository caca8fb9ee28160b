using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>What axe finds on a page: WCAG 2.2 A and AA, and best practices.</summary>
internal static class Axe
{
    private const string Run =
        """
        async () => {
          const { violations } = await axe.run(document, {
            runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
            resultTypes: ['violations'],
          });
          return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, any, all, none }) => {
            return `${id} at ${target}: ${html} ${[...any, ...all, ...none].map(({ message }) => message).join('; ')}`;
          }));
        }
        """;

    private static readonly string Script = new BundledAxeScriptProvider().GetScript();

    /// <summary>Each pair of a light and a language, in an order in which each step changes one of them.</summary>
    private static readonly (string Theme, string Button)[] Looks =
        [("night", "nav-theme"), ("night", "nav-language"), ("day", "nav-theme"), ("day", "nav-language")];

    /// <summary>Finds violations on a page as it is.</summary>
    /// <param name="page">The page.</param>
    /// <param name="state">The state's name, which begins each line.</param>
    public static async Task<IReadOnlyList<string>> FindAsync(IPage page, string state)
    {
        if (!await page.EvaluateAsync<bool>("() => 'axe' in window")) await page.EvaluateAsync(Script);
        string[] found = await page.EvaluateAsync<string[]>(Run);
        return [.. found.Select(line => $"{state}: {line}")];
    }

    /// <summary>
    /// Finds violations in all looks, one after the other on the same page: by day and by candlelight, in both languages, on a desktop and
    /// on a phone. In the end the page has its first look again.
    /// </summary>
    /// <param name="page">The page, by day.</param>
    /// <param name="state">The state's name.</param>
    public static async Task<IReadOnlyList<string>> FindInAllLooksAsync(IPage page, string state)
    {
        var found = new List<string>();
        PageViewportSizeResult first = page.ViewportSize!;
        foreach ((int width, int height) in new[] { (375, 812), (first.Width, first.Height) })
        {
            await page.SetViewportSizeAsync(width, height);
            foreach ((string theme, string button) in Looks)
            {
                // The buttons cannot be reached behind a dialog, and their work does not depend on how they are pressed.
                await page.EvaluateAsync("(id) => document.getElementById(id).click()", button);
                found.AddRange(await FindAsync(page, $"{state}, {width} px, {theme}"));
            }
        }

        return found;
    }
}
