using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The recorded public surface of the libraries, and the page that gives an overview of it.</summary>
public sealed partial class ApiPageTests
{
    [Fact]
    public void Types_OfTheApiPage_AreRecordedInTheirPackages()
    {
        MatchCollection rows = Row().Matches(File.ReadAllText(Path.Combine(GoldenFiles.Root, "docs", "api.md")));
        Assert.True(rows.Count > 30, $"{rows.Count} types");
        Assert.All(rows, row =>
        {
            (string type, string space, string package) = (row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value);
            Assert.Contains($"{space}.{type}", Recorded(package));
        });
    }

    [Fact]
    public void Libraries_ExceptTheProgram_RecordTheirPublicSurface()
    {
        string source = Path.Combine(GoldenFiles.Root, "src");
        // The server is a part of the program, without a package of its own.
        IEnumerable<string> libraries = Directory.GetFiles(source, "*.csproj", SearchOption.AllDirectories)
            .Select(project => Path.GetFileNameWithoutExtension(project))
            .Where(project => project is not ("MuseAtelier.Cli" or "MuseAtelier.Server"));
        Assert.All(libraries, library => Assert.Equal("#nullable enable", Recorded(library)[0]));
    }

    // Lines of experimental types begin with the diagnostic.
    private static string[] Recorded(string package) =>
    [
        .. from list in (string[])["PublicAPI.Shipped.txt", "PublicAPI.Unshipped.txt"]
           from line in File.ReadLines(Path.Combine(GoldenFiles.Root, "src", package, list))
           select line.Replace("[MUSE001]", "", StringComparison.Ordinal),
    ];

    [GeneratedRegex(@"^\| `(\w+)` \| `([\w.]+)` \| `([\w.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
