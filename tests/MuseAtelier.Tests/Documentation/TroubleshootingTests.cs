using System.Reflection;
using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The page of all exceptions.</summary>
public sealed partial class TroubleshootingTests
{
    [Fact]
    public void Page_HasARowForEachPublicExceptionAndNoOther()
    {
        string[] exceptions =
        [
            .. Directory.GetDirectories(Path.Combine(GoldenFiles.Root, "src"))
                .Select(folder => Path.GetFileName(folder))
                .Where(name => name != "MuseAtelier.Cli")
                .SelectMany(name => Assembly.Load(name).GetExportedTypes())
                .Where(type => type.IsAssignableTo(typeof(Exception)))
                .Select(type => type.Name)
                .Order(),
        ];
        Assert.True(exceptions.Length > 50, $"only {exceptions.Length} exceptions are found");
        string[] rows = [.. Row().Matches(Pages.Read("docs/troubleshooting.md")).Select(row => row.Groups[1].Value).Order()];
        Assert.Equal(exceptions, rows);
    }

    // The second column of the tables of messages and of base types.
    [GeneratedRegex(@"^\| [^|]+ \| `(\w+)` \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
