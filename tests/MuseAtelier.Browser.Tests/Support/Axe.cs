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

    /// <summary>
    /// Looks, and the buttons that lead to each from the one before, beginning by day in English. Every pair of a width, a light and a
    /// language is among them, and the last one is the first again.
    /// </summary>
    private static readonly (int Width, int Height, string Name, string[] Buttons)[] Looks =
    [
        (375, 812, "night, English", ["nav-theme"]),
        (375, 812, "day, Chinese", ["nav-theme", "nav-language"]),
        (1440, 900, "night, Chinese", ["nav-theme"]),
        (1440, 900, "day, English", ["nav-theme", "nav-language"]),
    ];

    /// <summary>Finds violations on a page as it is.</summary>
    /// <param name="page">The page.</param>
    /// <param name="state">The state's name, which begins each line.</param>
    public static async Task<IReadOnlyList<string>> FindAsync(IPage page, string state)
    {
        if (!await page.EvaluateAsync<bool>("() => 'axe' in window")) await page.EvaluateAsync(Script);
        string[] found = await page.EvaluateAsync<string[]>(Run);
        return [.. found.Select(line => $"{state}: {line}")];
    }

    /// <summary>Finds violations in the looks, one after the other on the same page.</summary>
    /// <param name="page">The page, by day, in English, on a desktop.</param>
    /// <param name="state">The state's name.</param>
    public static async Task<IReadOnlyList<string>> FindInAllLooksAsync(IPage page, string state)
    {
        var found = new List<string>();
        foreach ((int width, int height, string name, string[] buttons) in Looks)
        {
            await page.SetViewportSizeAsync(width, height);
            // The buttons cannot be reached behind a dialog, and their work does not depend on how they are pressed.
            foreach (string button in buttons) await page.EvaluateAsync("(id) => document.getElementById(id).click()", button);
            found.AddRange(await FindAsync(page, $"{state}, {width} px, {name}"));
        }

        return found;
    }
}
