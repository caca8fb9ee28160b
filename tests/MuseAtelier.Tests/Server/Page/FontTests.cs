using System.Text;
using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Page;

/// <summary>The page's fonts are subsets: they must hold every character of the texts that are set in them.</summary>
public sealed partial class FontTests
{
    private static readonly string Folder = Path.Combine(GoldenFiles.Root, "src/MuseAtelier.Server/Page/wwwroot");

    private static HashSet<int> Roman => WebFont.Characters(FontFile("atelier-roman"));

    [Fact]
    public void Labels_InBothLanguages_HaveTheirGlyphs()
    {
        HashSet<int> all = Roman;
        all.UnionWith(WebFont.Characters(FontFile("atelier-kai")));
        Label[] labels = [.. Labels()];
        Assert.True(labels.Length > 50, $"Only {labels.Length} labels were found.");
        Assert.Contains(labels, each => each is { Key: "paint", Chinese: "挥毫泼墨", English: "Paint" });
        string[] missing = [.. from label in labels from text in (string[])[label.Chinese, label.English] from lack in Lacks(text, all)
            select $"{label.Key}: {lack}"];
        Assert.True(missing.Length == 0, $"Run tools/fonts/subset; glyphs are missing for {string.Join(", ", missing)}");
    }

    [Fact]
    public void Title_AndSeals_HaveTheirGlyphs() =>
        Assert.Empty(Lacks("圣光艺苑真停中文", WebFont.Characters(FontFile("atelier-title"))));

    [Fact]
    public void Italic_HasTheCharactersOfTheRoman()
    {
        HashSet<int> italic = WebFont.Characters(FontFile("atelier-italic"));
        Assert.Superset(Enumerable.Range('a', 26).ToHashSet(), italic);
        Assert.Empty(Roman.Except(italic));
    }

    [Fact]
    public void Characters_OfTheRoman_LackChinese() => Assert.Equal(["U+753B 画"], Lacks("a画", Roman));

    [Fact]
    public void Licences_LieBesideTheFonts()
    {
        foreach (string name in (string[])["LXGW-WenKai", "EB-Garamond"])
            Assert.Contains("SIL OPEN FONT LICENSE", File.ReadAllText(Path.Combine(Folder, "fonts", $"LICENSE-{name}.txt")));
    }

    private static string FontFile(string name) => Path.Combine(Folder, "fonts", $"{name}.woff2");

    private static string[] Lacks(string text, HashSet<int> characters) =>
        [.. from rune in text.EnumerateRunes() where !characters.Contains(rune.Value) select $"U+{rune.Value:X4} {rune}"];

    private static IEnumerable<Label> Labels() =>
        from file in Directory.EnumerateFiles(Path.Combine(Folder, "scripts"), "texts*.js")
        from block in BlockOfLabels().Matches(File.ReadAllText(file, Encoding.UTF8))
        from match in TextOfLabel().Matches(block.Value)
        select new Label(match.Groups[1].Value, Plain(match.Groups[2].Value), Plain(match.Groups[3].Value));

    private static string Plain(string quoted) => quoted.Replace("\\'", "'", StringComparison.Ordinal);

    [GeneratedRegex(@"^export const labels\b.*?^};", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockOfLabels();

    [GeneratedRegex(@"^  (\w+): \[\s*'((?:[^'\\]|\\.)*)',\s*'((?:[^'\\]|\\.)*)',?\s*\]", RegexOptions.Multiline)]
    private static partial Regex TextOfLabel();

    private sealed record Label(string Key, string Chinese, string English);
}
