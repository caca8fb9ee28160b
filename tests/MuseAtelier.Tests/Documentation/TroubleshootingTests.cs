using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The page of all exceptions and their messages.</summary>
public sealed partial class TroubleshootingTests
{
    private static readonly Assembly[] Packages =
    [
        .. Directory.GetDirectories(Path.Combine(GoldenFiles.Root, "src"))
            .Select(folder => Path.GetFileName(folder))
            .Where(name => name != "MuseAtelier.Cli")
            .Select(Assembly.Load),
    ];

    private static readonly Type[] Exceptions =
        [.. Packages.SelectMany(package => package.GetTypes()).Where(type => type.IsAssignableTo(typeof(Exception)))];

    private static readonly (string Message, string Exception)[] Rows =
    [
        .. Row().Matches(Pages.Read("docs/troubleshooting.md")).Select(row => (row.Groups["message"].Value, row.Groups["type"].Value)),
    ];

    [Fact]
    public void Page_HasARowForEachPublicExceptionAndNoneForAnythingElse()
    {
        string[] exported = [.. Exceptions.Where(type => type.IsVisible).Select(type => type.Name)];
        Assert.True(exported.Length > 50, $"only {exported.Length} exceptions are found");
        string[] rows = [.. Rows.Select(row => row.Exception)];
        Assert.Equal([], exported.Except(rows));
        Assert.Equal([], rows.CountBy(name => name).Where(row => row.Value > 1).Select(row => row.Key));
        // Users of muse see the messages of internal exceptions, too.
        Assert.Equal([], rows.Except(Exceptions.Select(type => type.Name)));
    }

    [Fact]
    public void Messages_OfThePage_AreMadeOfTextsOfTheProgram()
    {
        string texts = string.Join('\n', Packages.SelectMany(TextsOf));
        HashSet<string> kinds = [.. Exceptions.Where(type => type.IsAbstract).Select(type => type.Name)];
        string[] unknown =
        [
            .. from row in Rows
               where !kinds.Contains(row.Exception)
               from part in Variable().Split(row.Message)
               let text = part.Trim(' ', ':', ';', ',', '(', ')')
               where !texts.Contains(text, StringComparison.Ordinal)
               select $"{row.Exception}: {text}",
        ];
        Assert.Equal([], unknown);
    }

    // The literals of an assembly's code.
    private static IEnumerable<string> TextsOf(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        MetadataReader reader = file.GetMetadataReader();
        var texts = new List<string>();
        for (UserStringHandle text = MetadataTokens.UserStringHandle(1); !text.IsNil; text = reader.GetNextHandle(text))
            texts.Add(reader.GetUserString(text));
        return texts;
    }

    // The first two columns of the tables of messages and of base types.
    [GeneratedRegex(@"^\| (?<message>[^|]+) \| `(?<type>\w+)` \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    // What differs from message to message, and the words between found and expected.
    [GeneratedRegex("…|; expected ")]
    private static partial Regex Variable();
}
