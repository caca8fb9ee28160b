using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace MuseAtelier.Tests.Form;

/// <summary>The form of the source files themselves, read from the tree of the repository.</summary>
public sealed class SourceFormTests
{
    private const int LongestLine = 140, LongestMethod = 60, MostParameters = 7;

    [Fact]
    public void Lines_OfSourceFiles_HaveAtMost140Columns()
    {
        string[] files = [.. SourceTree.Files()];
        Assert.Contains("tests/MuseAtelier.Tests/Form/SourceFormTests.cs", files);
        string[] found = [.. files.SelectMany(LongLines)];
        Assert.True(found.Length == 0, $"{found.Length} lines are longer than {LongestLine} columns:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void Methods_OfSourceFiles_HaveAtMost60Lines()
    {
        (string Name, string Place)[] methods = [.. SourceTree.Files().SelectMany(LongMethods)];
        AssertNone(methods, $"methods have more than {LongestMethod} lines");
    }

    [Fact]
    public void Constructors_OfSourceFiles_HaveAtMost7Parameters()
    {
        (string Name, string Place)[] types = [.. SourceTree.Files().SelectMany(WideConstructors)];
        AssertNone(types, $"constructors have more than {MostParameters} parameters");
    }

    private static void AssertNone((string Name, string Place)[] found, string what) =>
        Assert.True(
            found.Length == 0, $"{found.Length} {what}:\n{string.Join('\n', found.Select(each => $"{each.Place} {each.Name}"))}");

    private static IEnumerable<string> LongLines(string file) =>
        from line in SourceTree.Lines(file).Index()
        where line.Item.Length > LongestLine
        select $"{file}({line.Index + 1}): {line.Item.Length} columns";

    // Lines from the first attribute or modifier to the closing brace: comments in the body count, documentation before it does not.
    private static IEnumerable<(string Name, string Place)> LongMethods(string file) =>
        from member in SourceTree.Parse(file).DescendantNodes().OfType<MemberDeclarationSyntax>()
        where member is BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax
        let span = member.SyntaxTree.GetLineSpan(member.Span)
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines > LongestMethod
        select ($"{TypeOf(member)}.{NameOf(member)}", $"{file}({span.StartLinePosition.Line + 1}): {lines} lines,");

    private static IEnumerable<(string Name, string Place)> WideConstructors(string file) =>
        from node in SourceTree.Parse(file).DescendantNodes()
        let parameters = node switch
        {
            ConstructorDeclarationSyntax constructor => constructor.ParameterList,
            TypeDeclarationSyntax type => type.ParameterList,
            _ => null,
        }
        where parameters is { Parameters.Count: > MostParameters }
        let line = node.SyntaxTree.GetLineSpan(parameters.Span).StartLinePosition.Line + 1
        let type = node as TypeDeclarationSyntax ?? (TypeDeclarationSyntax)node.Parent!
        select (type.Identifier.Text, $"{file}({line}): {parameters.Parameters.Count} parameters,");

    private static string TypeOf(SyntaxNode member) => member.Ancestors().OfType<BaseTypeDeclarationSyntax>().First().Identifier.Text;

    private static string NameOf(MemberDeclarationSyntax member) => member switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        ConstructorDeclarationSyntax => "(constructor)",
        PropertyDeclarationSyntax property => property.Identifier.Text,
        _ => $"({member.Kind()})",
    };
}
