namespace MuseAtelier.Tests.Server.Page;

/// <summary>The page's fonts are subsets: they must hold every character of the texts that are set in them.</summary>
public sealed class FontTests
{
    private static HashSet<int> Roman => WebFont.Characters(FontFile("atelier-roman"));

    [Fact]
    public void Labels_InBothLanguages_HaveTheirGlyphs()
    {
        HashSet<int> all = Roman;
        all.UnionWith(WebFont.Characters(FontFile("atelier-kai")));
        PageText[] labels = [.. PageText.Labels()];
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
            Assert.Contains("SIL OPEN FONT LICENSE", File.ReadAllText(Path.Combine(PageText.Folder, "fonts", $"LICENSE-{name}.txt")));
    }

    private static string FontFile(string name) => Path.Combine(PageText.Folder, "fonts", $"{name}.woff2");

    private static string[] Lacks(string text, HashSet<int> characters) =>
        [.. from rune in text.EnumerateRunes() where !characters.Contains(rune.Value) select $"U+{rune.Value:X4} {rune}"];
}
