using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MuseAtelier.Tests.Documentation;

/// <summary>
/// Compiles blocks of code as a console project would: statements become the body of a method, types and using directives stay what they
/// are. All blocks are one compilation, each in a namespace of its own.
/// </summary>
internal static class CodeBlockCompiler
{
    private const string ImplicitUsings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    // What a block without using directives may use in addition.
    private static readonly string[] UsualNamespaces =
    [
        "MuseAtelier", "MuseAtelier.Cpu", "MuseAtelier.Cuda", "MuseAtelier.Pictures", "MuseAtelier.Sampling", "MuseAtelier.Hosting",
        "MuseAtelier.Extensions.AI", "Microsoft.Extensions.AI", "Microsoft.Extensions.Configuration",
        "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
        "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Http",
    ];

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest);

    // Pages say where an interface is experimental, and how to use it nevertheless.
    private static readonly CSharpCompilationOptions Compiling = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
        .WithNullableContextOptions(NullableContextOptions.Enable)
        .WithSpecificDiagnosticOptions(new Dictionary<string, ReportDiagnostic>
        {
            ["MUSE001"] = ReportDiagnostic.Suppress,
            ["MEAI001"] = ReportDiagnostic.Suppress,
        });

    private static readonly Lazy<MetadataReference[]> References = new(FindReferences);

    /// <summary>The errors of blocks, each with the page and the line.</summary>
    public static IReadOnlyList<string> ErrorsOf(IEnumerable<CodeBlock> blocks)
    {
        CSharpCompilation empty = CSharpCompilation.Create("Blocks", references: References.Value, options: Compiling)
            .AddSyntaxTrees(CSharpSyntaxTree.ParseText(ImplicitUsings, Parsing));
        string usings = string.Concat(UsualNamespaces.Where(name => Exists(empty, name)).Select(name => $"using {name};\n"));
        var trees = new List<SyntaxTree>();
        foreach (CodeBlock block in blocks)
        {
            CompilationUnitSyntax root = CSharpSyntaxTree.ParseText(block.Code, Parsing).GetCompilationUnitRoot();
            string source = root.ContainsDiagnostics ? LineMark(block, 0) + block.Code : SourceOf(block, root, trees.Count, usings);
            trees.Add(CSharpSyntaxTree.ParseText(source, Parsing, block.Page));
        }

        IEnumerable<Diagnostic> all = empty.AddSyntaxTrees(trees).GetDiagnostics();
        return [.. all.Where(error => error.Severity == DiagnosticSeverity.Error).Select(Describe)];
    }

    private static string Describe(Diagnostic error)
    {
        FileLinePositionSpan place = error.Location.GetMappedLineSpan();
        return $"{place.Path}({place.StartLinePosition.Line + 1}): {error.Id} {error.GetMessage()}";
    }

    private static string SourceOf(CodeBlock block, CompilationUnitSyntax root, int index, string usings)
    {
        // A block with a namespace is a whole file.
        if (root.Members.Any(member => member is BaseNamespaceDeclarationSyntax)) return LineMark(block, 0) + block.Code;
        var source = new StringBuilder().Append("namespace Block").Append(index).Append("\n{\n");
        if (root.Usings.Count == 0) source.Append(usings);
        Append(root.Usings);
        string result = ReturnsANumber(root) ? "Task<int>" : "Task";
        string comma = block.Given.Length > 0 ? ", " : "";
        source.Append(LineMark(block, 0))
            .Append($"internal static class BlockBody {{ public static async {result} RunAsync({block.Given}{comma}string[] args) {{\n");
        Append(root.Members.OfType<GlobalStatementSyntax>());
        source.Append("\n#line hidden\n} }\n");
        Append(root.Members.Where(member => member is not GlobalStatementSyntax));
        return source.Append("\n}\n").ToString();

        void Append(IEnumerable<SyntaxNode> nodes)
        {
            foreach (SyntaxNode node in nodes)
            {
                int line = node.SyntaxTree.GetLineSpan(node.FullSpan).StartLinePosition.Line;
                source.Append('\n').Append(LineMark(block, line)).Append(node.ToFullString());
            }
        }
    }

    private static string LineMark(CodeBlock block, int line) => $"#line {block.Line + line} \"{block.Page}\"\n";

    private static bool ReturnsANumber(CompilationUnitSyntax root) => root.Members.OfType<GlobalStatementSyntax>()
        .SelectMany(statement => statement.DescendantNodes(IsOfTheBody))
        .Any(node => node is ReturnStatementSyntax { Expression: not null });

    private static bool IsOfTheBody(SyntaxNode node) => node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax);

    private static bool Exists(CSharpCompilation compilation, string name)
    {
        INamespaceSymbol? place = compilation.GlobalNamespace;
        foreach (string part in name.Split('.'))
        {
            place = place.GetNamespaceMembers().FirstOrDefault(member => member.Name == part);
            if (place is null) return false;
        }

        return true;
    }

    // The assemblies of this process, and those of ASP.NET Core, which every SDK has beside them.
    private static MetadataReference[] FindReferences()
    {
        string[] own = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string web = Path.Combine(runtime, "..", "..", "Microsoft.AspNetCore.App", Path.GetFileName(runtime));
        string[] others = Directory.Exists(web) ? Directory.GetFiles(web, "*.dll") : [];
        return
        [
            .. own.Concat(others)
                .DistinctBy(path => Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)
                .Where(IsManaged)
                .Select(path => MetadataReference.CreateFromFile(path)),
        ];
    }

    private static bool IsManaged(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var reader = new System.Reflection.PortableExecutable.PEReader(file);
        return reader.HasMetadata;
    }
}
