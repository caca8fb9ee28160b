using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Form;

/// <summary>The C# sources of the repository. Paths are relative, with forward slashes.</summary>
internal static class SourceTree
{
    private static readonly string[] Folders = ["samples", "src", "tests", "tools"];

    /// <summary>All source files, in order of their paths, without those that builds write below a folder of sources.</summary>
    public static IEnumerable<string> Files() =>
        from folder in Folders
        where Directory.Exists(Path.Combine(GoldenFiles.Root, folder))
        from file in Files(folder)
        select file;

    /// <summary>The lines of a file.</summary>
    public static IEnumerable<string> Lines(string file) => File.ReadLines(Path.Combine(GoldenFiles.Root, file));

    /// <summary>The syntax of a file.</summary>
    public static CompilationUnitSyntax Parse(string file) => CSharpSyntaxTree
        .ParseText(File.ReadAllText(Path.Combine(GoldenFiles.Root, file)), new CSharpParseOptions(LanguageVersion.Preview), file)
        .GetCompilationUnitRoot();

    /// <summary>
    /// For each type that a project declares outside of other types, by the name that it has in metadata, the path of its file within the
    /// project. A type in several files counts as declared in the first.
    /// </summary>
    public static Dictionary<string, string> FilesOfTypes(string project)
    {
        Dictionary<string, string> files = new(StringComparer.Ordinal);
        foreach (string file in Files(project))
        {
            foreach (MemberDeclarationSyntax type in Parse(file).DescendantNodes(IsOutsideOfTypes).OfType<MemberDeclarationSyntax>())
                if (NameOf(type) is { } name) files.TryAdd(name, file[(project.Length + 1)..]);
        }

        return files;
    }

    private static IEnumerable<string> Files(string folder) =>
        from path in Directory.EnumerateFiles(Path.Combine(GoldenFiles.Root, folder), "*.cs", SearchOption.AllDirectories)
        let file = Path.GetRelativePath(GoldenFiles.Root, path).Replace('\\', '/')
        where !file.Split('/').Any(part => part is "artifacts" or "bin" or "obj")
        orderby file
        select file;

    private static bool IsOutsideOfTypes(SyntaxNode node) => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax;

    private static string? NameOf(MemberDeclarationSyntax member)
    {
        (SyntaxToken name, TypeParameterListSyntax? parameters) = member switch
        {
            TypeDeclarationSyntax type => (type.Identifier, type.TypeParameterList),
            BaseTypeDeclarationSyntax type => (type.Identifier, null),
            DelegateDeclarationSyntax type => (type.Identifier, type.TypeParameterList),
            _ => default,
        };
        if (name == default) return null;
        string space = string.Join('.', member.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().Reverse().Select(each => each.Name));
        return parameters is null ? $"{space}.{name.Text}" : $"{space}.{name.Text}`{parameters.Parameters.Count}";
    }
}
