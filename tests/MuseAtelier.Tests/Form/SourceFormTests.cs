using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Form;

/// <summary>The form of the source files themselves, read from the tree of the repository.</summary>
public sealed class SourceFormTests
{
    private const int LongestLine = 140;

    private static readonly string[] Folders = ["src", "tests", "tools"];

    // Folders that still have longer lines. To be emptied: until then a test is skipped and names them.
    private static readonly string[] NotYet =
    [
        "src/MuseAtelier",
        "src/MuseAtelier.Cli",
        "src/MuseAtelier.Cpu",
        "src/MuseAtelier.Cuda",
        "src/MuseAtelier.Export",
        "src/MuseAtelier.Packages",
        "src/MuseAtelier.Pictures",
        "tools/charts",
        "tools/export",
    ];

    [Fact]
    public void Lines_OfSourceFiles_HaveAtMost140Columns()
    {
        string[] files = [.. SourceFiles()];
        Assert.Contains("tests/MuseAtelier.Tests.Form/SourceFormTests.cs", files);
        string[] found = [.. files.Where(file => !NotYet.Any(folder => IsBelow(file, folder))).SelectMany(LongLines)];
        Assert.True(found.Length == 0, $"{found.Length} lines are longer than {LongestLine} columns:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void Lines_OfFoldersThatAreNotYetRead_AreSaid()
    {
        Assert.All(NotYet, folder => Assert.Contains(SourceFiles(), file => IsBelow(file, folder)));
        IEnumerable<string> left = NotYet.Select(folder =>
        {
            int lines = SourceFiles().Where(file => IsBelow(file, folder)).SelectMany(LongLines).Count();
            return lines == 0 ? $"{folder} (none: take it off the list)" : $"{folder} ({lines})";
        });
        Assert.SkipWhen(NotYet.Length > 0, $"Lines over {LongestLine} columns are still allowed in {string.Join(", ", left)}.");
    }

    // Without the folders that builds write where they are set up otherwise than here.
    private static IEnumerable<string> SourceFiles() =>
        from folder in Folders
        from path in Directory.EnumerateFiles(Path.Combine(GoldenFiles.Root, folder), "*.cs", SearchOption.AllDirectories)
        let file = Path.GetRelativePath(GoldenFiles.Root, path).Replace('\\', '/')
        where !file.Split('/').Any(part => part is "artifacts" or "bin" or "obj")
        orderby file
        select file;

    private static IEnumerable<string> LongLines(string file) =>
        from line in File.ReadLines(Path.Combine(GoldenFiles.Root, file)).Index()
        where line.Item.Length > LongestLine
        select $"{file}({line.Index + 1}): {line.Item.Length} columns";

    private static bool IsBelow(string file, string folder) => file.StartsWith(folder + "/", StringComparison.Ordinal);
}
