using System.Globalization;
using static System.FormattableString;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Reads ComfyUI's attention syntax (comfy/sd1_clip.py, token_weights and parse_parentheses). <c>(text)</c> multiplies the weight by 1.1,
/// <c>(text:1.2)</c> replaces it, and a backslash before a parenthesis makes it text. An instance is used once, by one thread.
/// </summary>
/// <param name="text">The prompt.</param>
/// <param name="name">The prompt's name in notices and errors.</param>
internal sealed class ComfyParser(string text, string name)
{
    private const double Multiplier = 1.1;

    // Each level is one call on the stack. ComfyUI itself fails at about a thousand levels.
    private const int MostLevels = 256;

    private const string EscapedOpening = "\0\u0002";
    private const string EscapedClosing = "\0\u0001";

    // Escaped parentheses are replaced by marks of the same length while the text is split.
    private readonly string _text = text
        .Replace(@"\)", EscapedClosing, StringComparison.Ordinal)
        .Replace(@"\(", EscapedOpening, StringComparison.Ordinal);

    private readonly List<PromptSpan> _spans = [];

    /// <summary>Reads the prompt.</summary>
    /// <exception cref="PromptException">The parentheses are too deep, or there are too many spans.</exception>
    public ParsedPrompt Run()
    {
        Read(0, _text.Length, 1, 0);
        if (_spans.Count == 0) _spans.Add(new PromptSpan("", 1));
        int opening = _text.Count(letter => letter == '('), closing = _text.Count(letter => letter == ')');
        string[] notices = opening == closing
            ? []
            : [Invariant($"The {name} has {opening} opening and {closing} closing parentheses; those without a partner are ")
                + "painted as ComfyUI does."];
        return new ParsedPrompt(_spans, notices);
    }

    // Splits a part into items at the parentheses of its outermost level. An unmatched closing parenthesis lowers the level below zero, so
    // that the next opening one is text: this is what ComfyUI does.
    private void Read(int start, int end, double weight, int level)
    {
        if (level > MostLevels) throw PromptException.TooDeep(name, MostLevels);
        int item = start, nesting = 0;
        for (int i = start; i < end; i++)
        {
            if (_text[i] == '(')
            {
                if (nesting == 0)
                {
                    ReadItem(item, i, weight, level);
                    item = i;
                }

                nesting++;
            }
            else if (_text[i] == ')')
            {
                nesting--;
                if (nesting != 0) continue;
                ReadItem(item, i + 1, weight, level);
                item = i + 1;
            }
        }

        ReadItem(item, end, weight, level);
    }

    private void ReadItem(int start, int end, double weight, int level)
    {
        if (start == end) return;
        if (end - start < 2 || _text[start] != '(' || _text[end - 1] != ')')
        {
            Add(start, end, weight);
            return;
        }

        start++;
        end--;
        double inner = weight * Multiplier;
        int colon = end > start ? _text.LastIndexOf(':', end - 1, end - start) : -1;
        if (colon > start && TryReadNumber(_text.AsSpan(colon + 1, end - colon - 1), out double number)) (inner, end) = (number, colon);
        Read(start, end, inner, level + 1);
    }

    private void Add(int start, int end, double weight)
    {
        if (_spans.Count == PromptParser.MostSpans) throw PromptException.TooManySpans(name, PromptParser.MostSpans);
        string part = _text[start..end]
            .Replace(EscapedClosing, ")", StringComparison.Ordinal)
            .Replace(EscapedOpening, "(", StringComparison.Ordinal);
        _spans.Add(new PromptSpan(part, weight));
    }

    private static bool TryReadNumber(ReadOnlySpan<char> number, out double value) =>
        double.TryParse(number.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
