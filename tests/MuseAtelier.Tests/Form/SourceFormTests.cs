using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Form;

/// <summary>The form of the source files themselves, read from the tree of the repository.</summary>
public sealed class SourceFormTests
{
    private const int LongestLine = 140;

    private static readonly string[] Folders = ["samples", "src", "tests", "tools"];

    [Fact]
    public void Lines_OfSourceFiles_HaveAtMost140Columns()
    {
        string[] files = [.. SourceFiles()];
        Assert.Contains("tests/MuseAtelier.Tests/Form/SourceFormTests.cs", files);
        string[] found = [.. files.SelectMany(LongLines)];
        Assert.True(found.Length == 0, $"{found.Length} lines are longer than {LongestLine} columns:\n{string.Join('\n', found)}");
    }

    // Without the folders that builds write where they are set up otherwise than here.
    private static IEnumerable<string> SourceFiles() =>
        from folder in Folders
        where Directory.Exists(Path.Combine(GoldenFiles.Root, folder))
        from path in Directory.EnumerateFiles(Path.Combine(GoldenFiles.Root, folder), "*.cs", SearchOption.AllDirectories)
        let file = Path.GetRelativePath(GoldenFiles.Root, path).Replace('\\', '/')
        where !file.Split('/').Any(part => part is "artifacts" or "bin" or "obj")
        orderby file
        select file;

    private static IEnumerable<string> LongLines(string file) =>
        from line in File.ReadLines(Path.Combine(GoldenFiles.Root, file)).Index()
        where line.Item.Length > LongestLine
        select $"{file}({line.Index + 1}): {line.Item.Length} columns";
}
