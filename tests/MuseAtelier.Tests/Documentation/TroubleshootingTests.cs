using System.Reflection;
using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The page of all exceptions.</summary>
public sealed partial class TroubleshootingTests
{
    [Fact]
    public void Page_HasARowForEachPublicExceptionAndNoneForAnythingElse()
    {
        Type[] exceptions =
        [
            .. Directory.GetDirectories(Path.Combine(GoldenFiles.Root, "src"))
                .Select(folder => Path.GetFileName(folder))
                .Where(name => name != "MuseAtelier.Cli")
                .SelectMany(name => Assembly.Load(name).GetTypes())
                .Where(type => type.IsAssignableTo(typeof(Exception))),
        ];
        string[] exported = [.. exceptions.Where(type => type.IsVisible).Select(type => type.Name)];
        Assert.True(exported.Length > 50, $"only {exported.Length} exceptions are found");
        string[] rows = [.. Row().Matches(Pages.Read("docs/troubleshooting.md")).Select(row => row.Groups[1].Value)];
        Assert.Equal([], exported.Except(rows));
        Assert.Equal([], rows.CountBy(name => name).Where(row => row.Value > 1).Select(row => row.Key));
        // Users of muse see the messages of internal exceptions, too.
        Assert.Equal([], rows.Except(exceptions.Select(type => type.Name)));
    }

    // The second column of the tables of messages and of base types.
    [GeneratedRegex(@"^\| [^|]+ \| `(\w+)` \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
