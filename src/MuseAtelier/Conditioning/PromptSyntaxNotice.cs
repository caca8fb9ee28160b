using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier;

/// <summary>
/// Finds the syntax of other programs in a prompt: weights, networks, prompt editing and the like. Syntax that the prompt's own syntax does
/// not have is encoded as plain text, so the user must be told.
/// </summary>
public static class PromptSyntaxNotice
{
    // Deeper brackets are ignored.
    private const int DeepestBracket = 64;

    private const int LongestExample = 40;
    private const int LongestTagName = 20;
    private const int LongestWildcard = 100;
    private const int LongestWeight = 16;

    // The kinds in the order of a notice.
    private static readonly (Kind Kind, string Name, string Meaning)[] Kinds =
    [
        (Kind.Weight, "weights such as", ""),
        (Kind.Parentheses, "parentheses such as", ", which raise weights there"),
        (Kind.SquareBrackets, "square brackets such as", ", which lower weights there"),
        (Kind.Editing, "prompt editing such as", ""),
        (Kind.Alternation, "alternation such as", ""),
        (Kind.Braces, "braces such as", ""),
        (Kind.Network, "networks such as", ""),
        (Kind.Tag, "tags such as", ""),
        (Kind.Embedding, "embeddings such as", ""),
        (Kind.Wildcard, "wildcards such as", ""),
        (Kind.Break, "the word", ""),
        (Kind.And, "the word", ""),
        (Kind.Escape, "escapes such as", ", whose backslash is encoded too"),
    ];

    private enum Kind
    {
        Weight,
        Parentheses,
        SquareBrackets,
        Editing,
        Alternation,
        Braces,
        Network,
        Tag,
        Embedding,
        Wildcard,
        Break,
        And,
        Escape,
    }

    /// <summary>
    /// A sentence that names each kind of syntax in a prompt that its own syntax does not have; null if there is none.
    /// </summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    /// <param name="name">The prompt's name in the sentence, such as <c>prompt</c> or <c>negative prompt</c>.</param>
    /// <param name="syntax">The syntax of the prompt; a request's default if it is not given.</param>
    public static string? Of(string prompt, string name = "prompt", PromptSyntax syntax = PromptSyntax.A1111) =>
        Of(prompt, name, syntax, readsEmbeddings: false);

    /// <summary>The same where <c>embedding:name</c> may name an embedding.</summary>
    internal static string? Of(string prompt, string name, PromptSyntax syntax, bool readsEmbeddings)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var scan = new Scan(prompt);
        scan.Run();
        string kinds = string.Join("; ", Kinds
            .Where(kind => scan.Has(kind.Kind) && !IsRead(kind.Kind, syntax) && !(readsEmbeddings && kind.Kind == Kind.Embedding))
            .Select(kind => $"{kind.Name} {scan.Example(kind.Kind)}{kind.Meaning}"));
        if (kinds.Length == 0) return null;
        return syntax == PromptSyntax.Plain
            ? $"The {name} has syntax of other programs, which is painted as plain text here: {kinds}."
            : $"The {name} has syntax that is not supported: its words are painted as text. It has {kinds}.";
    }

    /// <summary>Whether a prompt has something that looks like prompt editing or alternation.</summary>
    internal static bool HasEditing(string prompt)
    {
        var scan = new Scan(prompt);
        scan.Run();
        return scan.Has(Kind.Editing) || scan.Has(Kind.Alternation);
    }

    private static bool IsRead(Kind kind, PromptSyntax syntax) => syntax switch
    {
        PromptSyntax.A1111 => kind is Kind.Weight or Kind.Parentheses or Kind.SquareBrackets or Kind.Editing or Kind.Alternation
            or Kind.Break or Kind.And or Kind.Escape,
        // Square brackets are text in ComfyUI too.
        PromptSyntax.Comfy => kind is Kind.Weight or Kind.Parentheses or Kind.SquareBrackets or Kind.Escape,
        _ => false,
    };

    /// <summary>One pass over a prompt, in time linear in the prompt's length.</summary>
    private sealed class Scan(string text)
    {
        private readonly (int Start, int End)?[] _examples = new (int, int)?[Kinds.Length];
        private readonly Bracket[] _open = new Bracket[DeepestBracket];
        private int _depth;

        // Index of the next '>' at or after the last search; the text's length if there is none.
        private int _nextClose = -1;

        public bool Has(Kind kind) => _examples[(int)kind] is not null;

        public string Example(Kind kind)
        {
            (int start, int end) = _examples[(int)kind]!.Value;
            bool isCut = end - start > LongestExample;
            if (isCut) end = start + LongestExample;
            if (isCut && char.IsHighSurrogate(text[end - 1])) end--;
            return string.Concat(text.AsSpan(start, end - start), isCut ? "…" : "").ReplaceLineEndings(" ");
        }

        public void Run()
        {
            for (int i = 0; i < text.Length; i++) i = Read(i);
            // In other programs an unclosed parenthesis extends to the end. After a colon or the like it is an emoticon.
            for (int i = 0; i < _depth; i++)
                if (_open[i] is { Letter: '(' } bracket && !IsFace(bracket.At)) Note(Kind.Parentheses, bracket.At, text.Length);
        }

        // Returns the last index that was read.
        private int Read(int i)
        {
            switch (text[i])
            {
                case '\\' when i + 1 < text.Length && IsBracket(text[i + 1]):
                    Note(Kind.Escape, i, i + 2);
                    return i + 1;
                case '(' or '[' or '{':
                    if (_depth < DeepestBracket) _open[_depth++] = new Bracket(text[i], i);
                    break;
                case ')' or ']' or '}':
                    Close(i);
                    break;
                case '|' when _depth > 0:
                    _open[_depth - 1].HasBar = true;
                    break;
                case '<':
                    ReadTag(i);
                    break;
                case '_' when At(i + 1) == '_':
                    return ReadWildcard(i);
                case 'B' when IsWord(i, "BREAK"):
                    Note(Kind.Break, i, i + 5);
                    break;
                case 'A' when IsWord(i, "AND"):
                    Note(Kind.And, i, i + 3);
                    break;
                case 'e' or 'E':
                    ReadEmbedding(i);
                    break;
            }

            return i;
        }

        private void Close(int i)
        {
            if (_depth == 0 || _open[_depth - 1].Letter != Opening(text[i])) return;
            Bracket bracket = _open[--_depth];
            // Empty brackets have no meaning in any program.
            if (i == bracket.At + 1) return;
            Note(bracket.Letter switch
            {
                '(' => EndsWithNumber(bracket.At, i) ? Kind.Weight : Kind.Parentheses,
                '[' => bracket.HasBar ? Kind.Alternation : EndsWithNumber(bracket.At, i) ? Kind.Editing : Kind.SquareBrackets,
                _ => Kind.Braces,
            }, bracket.At, i + 1);
        }

        // Whether a colon and a number precede the closing bracket.
        private bool EndsWithNumber(int start, int end)
        {
            int at = end - 1;
            int least = Math.Max(start, end - LongestWeight);
            bool hasDigit = false;
            while (at > least && (char.IsAsciiDigit(text[at]) || text[at] is '.' or '+' or '-' or ' '))
                hasDigit |= char.IsAsciiDigit(text[at--]);
            return hasDigit && at > start && text[at] == ':';
        }

        private void ReadTag(int i)
        {
            int colon = i + 1;
            while (colon - i <= LongestTagName && char.IsAsciiLetterOrDigit(At(colon))) colon++;
            if (colon == i + 1 || At(colon) != ':') return;
            if (_nextClose < i) _nextClose = text.IndexOf('>', i) is >= 0 and var found ? found : text.Length;
            if (_nextClose == text.Length) return;
            string name = text[(i + 1)..colon];
            bool isNetwork = name.Equals("lora", StringComparison.OrdinalIgnoreCase)
                || name.Equals("lyco", StringComparison.OrdinalIgnoreCase)
                || name.Equals("hypernet", StringComparison.OrdinalIgnoreCase);
            Note(isNetwork ? Kind.Network : Kind.Tag, i, _nextClose + 1);
        }

        private int ReadWildcard(int i)
        {
            int at = i + 2;
            while (at - i <= LongestWildcard
                && (char.IsLetterOrDigit(At(at)) || At(at) is '-' or '/' or '*' or '.' || (At(at) == '_' && At(at + 1) != '_'))) at++;
            if (at == i + 2 || At(at) != '_' || At(at + 1) != '_') return i;
            Note(Kind.Wildcard, i, at + 2);
            return at + 1;
        }

        private void ReadEmbedding(int i)
        {
            const string mark = "embedding:";
            if (IsInWord(i - 1) || At(i - 1) == '-' || !text.AsSpan(i).StartsWith(mark, StringComparison.OrdinalIgnoreCase)) return;
            int end = i + mark.Length;
            while (end - i <= LongestExample && end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] is not (',' or ')' or ']'))
                end++;
            if (end > i + mark.Length) Note(Kind.Embedding, i, end);
        }

        // The first occurrence of a kind is the example.
        private void Note(Kind kind, int start, int end) => _examples[(int)kind] ??= (start, end);

        private bool IsWord(int i, string word) => !IsInWord(i - 1) && !IsInWord(i + word.Length)
            && text.AsSpan(i).StartsWith(word, StringComparison.Ordinal);

        private bool IsInWord(int i) => char.IsLetterOrDigit(At(i)) || At(i) == '_';

        private bool IsFace(int i) => At(i - 1) is ':' or ';' or '=';

        private char At(int i) => (uint)i < (uint)text.Length ? text[i] : '\0';

        private static bool IsBracket(char letter) => letter is '(' or ')' or '[' or ']' or '{' or '}';

        private static char Opening(char closing) => closing switch { ')' => '(', ']' => '[', _ => '{' };
    }

    [SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Never compared.")]
    private struct Bracket(char letter, int at)
    {
        public readonly char Letter = letter;
        public readonly int At = at;
        public bool HasBar;
    }
}
