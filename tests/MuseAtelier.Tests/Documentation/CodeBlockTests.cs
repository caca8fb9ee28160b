namespace MuseAtelier.Tests.Documentation;

/// <summary>The C# in the pages of the documentation.</summary>
public sealed class CodeBlockTests
{
    private static readonly CodeBlock[] Blocks = [.. Pages.All.SelectMany(page => CodeBlock.In(page, Pages.Read(page)))];

    [Fact]
    public void Blocks_OfThePages_Compile()
    {
        Assert.Contains(Blocks, block => block.Page == "README.md");
        IReadOnlyList<string> errors = CodeBlockCompiler.ErrorsOf(Blocks.Where(block => block.Source is null));
        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }

    [Fact]
    public void Blocks_OfASourceFile_StandInIt()
    {
        foreach (CodeBlock block in Blocks.Where(block => block.Source is not null))
        {
            Assert.True(
                Contains(Lines(Pages.Read(block.Source!)), Lines(block.Code)),
                $"{block.Page}({block.Line}): {block.Source} has other lines");
        }
    }

    [Fact]
    public void ErrorsOf_WrongBlocks_NameThePageAndTheLine()
    {
        const string text =
            """
            # A page

            <!-- given: IAtelier atelier -->
            ```csharp
            Picture picture = await atelier.GenerateAsync(new PictureRequest { Prompt = "a" });
            Console.WriteLine(picture.Colour);
            ```

            1. In a list:

               ```csharp
               using MuseAtelier;

               Paint(new Canvas());
               return 1;

               static void Paint(Canvas canvas) => Console.WriteLine(canvas.Width + args.Length);

               class Canvas { public int Width => "wide"; }
               ```

            ```csharp
            namespace Whole;

            public class Frame : Missing;
            ```

            ```bash
            not C#
            ```

            ```csharp
            await atelier.GenerateAsync(...);
            ```
            """;
        CodeBlock[] blocks = [.. CodeBlock.In("page.md", text)];
        Assert.Equal([5, 12, 23, 33], blocks.Select(block => block.Line));
        string[] errors = [.. CodeBlockCompiler.ErrorsOf(blocks).Order()];
        Assert.StartsWith("page.md(17): CS8421 ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith("page.md(19): CS0029 ", errors[1], StringComparison.Ordinal);
        Assert.StartsWith("page.md(25): CS0246 ", errors[2], StringComparison.Ordinal);
        Assert.StartsWith("page.md(6): CS1061 ", errors[^1], StringComparison.Ordinal);
        // What is not even syntax has errors of its own, as many as the compiler finds in it.
        Assert.True(errors.Length > 4);
        Assert.All(errors[3..^1], error => Assert.StartsWith("page.md(33): ", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("```cs\nint i;\n```")]
    [InlineData("```C#\nint i;\n```")]
    [InlineData("```csharp\nint i;\n")]
    public void In_OfABlockThatWouldBeMissed_IsRefused(string text) =>
        Assert.Throws<FormatException>(() => CodeBlock.In("page.md", text).ToArray());

    private static string[] Lines(string text) =>
        [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];

    private static bool Contains(string[] lines, string[] part) =>
        part.Length > 0 && Enumerable.Range(0, lines.Length).Any(start => lines.AsSpan(start).StartsWith(part));
}
