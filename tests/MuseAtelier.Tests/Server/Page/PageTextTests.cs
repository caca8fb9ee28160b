using System.Text.RegularExpressions;

namespace MuseAtelier.Tests.Server.Page;

/// <summary>The texts of the page and their uses fit together, and both languages hold the same values.</summary>
public sealed partial class PageTextTests
{
    /// <summary>The end of the key of a text for exactly one.</summary>
    private const string One = "_one";

    private static readonly string[] Prefixes = ["words_", "smp_", "fit_", "content_", "extend_"];

    private static PageText[] Texts { get; } = [.. PageText.All()];

    [Fact]
    public void Keys_ThatScriptsUse_HaveTexts()
    {
        HashSet<string> keys = [.. Texts.Select(text => text.Key)];
        string[] used = [.. from script in Scripts() from Match match in Use().Matches(script) select match.Groups[1].Value];
        Assert.True(used.Length > 100, $"Only {used.Length} uses were found.");
        Assert.Empty(used.Where(key => !keys.Contains(key)).Distinct());
    }

    [Fact]
    public void Texts_AreUsed()
    {
        string scripts = string.Concat(Scripts());
        Assert.Empty(
            from text in Texts
            where !Prefixes.Any(prefix => text.Key.StartsWith(prefix, StringComparison.Ordinal))
            let key = text.Key.EndsWith(One, StringComparison.Ordinal) ? text.Key[..^One.Length] : text.Key
            where !Regex.IsMatch(scripts, $"""['"`]{key}['"`]""")
            select text.Key);
    }

    [Fact]
    public void Texts_InBothLanguages_HoldTheSameValues() =>
        Assert.Empty(from text in Texts where !Values(text.Chinese).SetEquals(Values(text.English)) select text.Key);

    [Fact]
    public void Keys_AreGivenOnce() =>
        Assert.Empty(from text in Texts group text by text.Key into same where same.Count() > 1 select same.Key);

    private static HashSet<string> Values(string text) => [.. Value().Matches(text).Select(match => match.Value)];

    private static IEnumerable<string> Scripts() =>
        from file in Directory.EnumerateFiles(Path.Combine(PageText.Folder, "scripts"), "*.js")
            .Except(PageText.Files())
            .Append(Path.Combine(PageText.Folder, "index.html"))
        select File.ReadAllText(file);

    [GeneratedRegex(@"(?:\bt\('|\bdata-t(?:-\w+)?="")([a-z_0-9]+)")]
    private static partial Regex Use();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Value();
}
