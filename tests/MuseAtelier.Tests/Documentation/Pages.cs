using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Documentation;

/// <summary>The pages of the documentation. Paths are relative to the repository, with forward slashes.</summary>
internal static class Pages
{
    // Folders whose pages lie at any depth, and the pages beside them.
    private static readonly string[] Folders = ["docs", "samples", "src", "benchmarks"];

    /// <summary>All pages in order of their paths: those of the root, of docs, and the READMEs of packages and samples.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. from path in Directory.EnumerateFiles(GoldenFiles.Root, "*.md").Concat(Folders.SelectMany(FilesBelow))
           let page = Path.GetRelativePath(GoldenFiles.Root, path).Replace('\\', '/')
           where !page.Split('/').Any(part => part is "artifacts" or "bin" or "obj")
           orderby page
           select page,
    ];

    /// <summary>The text of a page or of another file, with line feeds.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(GoldenFiles.Root, path)).ReplaceLineEndings("\n");

    private static IEnumerable<string> FilesBelow(string folder)
    {
        string path = Path.Combine(GoldenFiles.Root, folder);
        return Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.md", SearchOption.AllDirectories) : [];
    }
}
