using System.Text.RegularExpressions;

namespace MuseAtelier.Tests.Documentation;

/// <summary>A block of C# in a page. CONTRIBUTING.md describes the comments that may stand before one.</summary>
internal sealed partial record CodeBlock
{
    /// <summary>The page.</summary>
    public required string Page { get; init; }

    /// <summary>The line of the page at which the code begins, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>The code, without the indentation of its fence.</summary>
    public required string Code { get; init; }

    /// <summary>The variables that exist before the block, as parameters are written; empty for none.</summary>
    public string Given { get; init; } = "";

    /// <summary>The source file that holds the block word for word; null for a block that is compiled by itself.</summary>
    public string? Source { get; init; }

    /// <summary>The C# blocks of a page.</summary>
    /// <param name="page">The path of the page, for messages.</param>
    /// <param name="text">Its text.</param>
    /// <exception cref="FormatException">A block is marked as C# by another word than csharp, or does not end.</exception>
    public static IEnumerable<CodeBlock> In(string page, string text)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            Match fence = Fence().Match(lines[i]);
            if (!fence.Success) continue;
            int end = Array.FindIndex(lines, i + 1, line => line.Trim() == fence.Groups["marks"].Value);
            if (end < 0) throw new FormatException($"{page}({i + 1}): the block does not end");
            string language = fence.Groups["language"].Value;
            if (language == "csharp") yield return Make(page, lines, i, end, fence.Groups["indentation"].Length);
            else if (language.ToUpperInvariant() is "CSHARP" or "CS" or "C#")
                throw new FormatException($"{page}({i + 1}): write ```csharp, not ```{language}");
            i = end;
        }
    }

    private static CodeBlock Make(string page, string[] lines, int fence, int end, int indentation)
    {
        string before = fence > 0 ? lines[fence - 1].Trim() : "";
        Match mark = Mark().Match(before);
        string value = mark.Groups["value"].Value;
        return new CodeBlock
        {
            Page = page,
            Line = fence + 2,
            Code = string.Join('\n', lines[(fence + 1)..end].Select(line => line[Math.Min(indentation, line.Length)..])),
            Given = mark.Groups["name"].Value == "given" ? value : "",
            Source = mark.Groups["name"].Value == "from" ? value : null,
        };
    }

    [GeneratedRegex("^(?<indentation> *)(?<marks>`{3,}|~{3,})(?<language>[^` ]*)[^`]*$")]
    private static partial Regex Fence();

    [GeneratedRegex("^<!-- (?<name>given|from): (?<value>.+) -->$")]
    private static partial Regex Mark();
}
