using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Page;

/// <summary>A text of the page in both languages, read from its scripts.</summary>
internal sealed partial record PageText(string Key, string Chinese, string English)
{
    /// <summary>The folder of the page's files.</summary>
    public static string Folder { get; } = Path.Combine(GoldenFiles.Root, "src/MuseAtelier.Server/Page/wwwroot");

    /// <summary>The files that hold the texts.</summary>
    public static IEnumerable<string> Files() => Directory.EnumerateFiles(Path.Combine(Folder, "scripts"), "*texts*.js");

    /// <summary>All texts.</summary>
    public static IEnumerable<PageText> All() => Files().SelectMany(file => In(File.ReadAllText(file)));

    /// <summary>The texts that are set in the page's own fonts.</summary>
    public static IEnumerable<PageText> Labels() =>
        from file in Files()
        from Match block in BlockOfLabels().Matches(File.ReadAllText(file))
        from text in In(block.Value)
        select text;

    private static IEnumerable<PageText> In(string script) =>
        from Match match in Entry().Matches(script)
        select new PageText(match.Groups[1].Value, Plain(match.Groups[2].Value), Plain(match.Groups[3].Value));

    private static string Plain(string quoted) => quoted.Replace("\\'", "'", StringComparison.Ordinal);

    [GeneratedRegex(@"^export const labels\b.*?^};", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BlockOfLabels();

    [GeneratedRegex(@"^  (\w+): \[\s*'((?:[^'\\]|\\.)*)',\s*'((?:[^'\\]|\\.)*)',?\s*\]", RegexOptions.Multiline)]
    private static partial Regex Entry();
}
