using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using static System.FormattableString;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Reads AUTOMATIC1111's attention syntax (modules/prompt_parser.py, parse_prompt_attention). <c>(text)</c> multiplies the weight by 1.1,
/// <c>[text]</c> divides it by 1.1, <c>(text:1.2)</c> multiplies it by 1.2, a backslash before a bracket or a backslash makes it text, and
/// the word <c>BREAK</c> ends the chunk. An instance is used once, by one thread.
/// </summary>
/// <param name="text">The prompt.</param>
/// <param name="name">The prompt's name in notices and errors.</param>
internal sealed partial class A1111Parser(string text, string name)
{
    private const double RoundMultiplier = 1.1;
    private const double SquareMultiplier = 1 / 1.1;

    // A break has weight -1 until all brackets are applied. AUTOMATIC1111 multiplies it like any text, and takes a break whose weight has
    // changed for the word.
    private const double BreakWeight = -1;
    private const string BreakWord = "BREAK";

    private static readonly SearchValues<char> SyntaxLetters = SearchValues.Create(@"\()[]:");

    private readonly List<PromptSpan> _spans = [];
    private readonly List<int> _round = [];
    private readonly List<int> _square = [];
    private readonly List<string> _notices = [];
    private int _unopened;

    /// <summary>Reads the prompt.</summary>
    /// <exception cref="PromptException">A weight is no number, or there are too many spans.</exception>
    public ParsedPrompt Run()
    {
        for (int at = 0; at < text.Length;) at += Read(at);
        Close();
        return new ParsedPrompt(Join(), _notices);
    }

    // Reads what begins at an index, and returns its length.
    private int Read(int at)
    {
        switch (text[at])
        {
            case '\\':
                int length = at + 1 < text.Length && IsSyntax(text[at + 1]) ? 2 : 1;
                Add(text.Substring(at + 1, length - 1), 1);
                return length;
            case '(':
                _round.Add(_spans.Count);
                return 1;
            case '[':
                _square.Add(_spans.Count);
                return 1;
            case ':' when WeightLength(at) is > 0 and var weight:
                ReadWeight(at, weight);
                return weight;
            case ')' when _round.Count > 0:
                Multiply(Pop(_round), RoundMultiplier);
                return 1;
            case ']' when _square.Count > 0:
                Multiply(Pop(_square), SquareMultiplier);
                return 1;
            case ')' or ']':
                _unopened++;
                AddText(text.Substring(at, 1));
                return 1;
            case ':':
                AddText(":");
                return 1;
            default:
                int end = text.AsSpan(at).IndexOfAny(SyntaxLetters);
                string run = end < 0 ? text[at..] : text.Substring(at, end);
                AddText(run);
                return run.Length;
        }
    }

    // The length of a colon, a number and a closing parenthesis with white space between them; 0 if there is something else. Like the
    // original, it takes any digits and points for a number here.
    private int WeightLength(int colon)
    {
        int at = SkipWhiteSpace(colon + 1);
        if (at < text.Length && text[at] is '+' or '-') at++;
        int digits = at;
        while (at < text.Length && (text[at] == '.' || char.IsDigit(text[at]))) at++;
        if (at == digits) return 0;
        at = SkipWhiteSpace(at);
        return at < text.Length && text[at] == ')' ? at + 1 - colon : 0;
    }

    private int SkipWhiteSpace(int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        return at;
    }

    private void ReadWeight(int at, int length)
    {
        if (_round.Count == 0)
        {
            _unopened++;
            AddText(text.Substring(at, length));
            return;
        }

        string number = text.Substring(at + 1, length - 2).Trim();
        if (!PromptNumber.TryParse(number, out double weight)) throw PromptException.NotANumber(name, number);
        Multiply(Pop(_round), weight);
    }

    private void AddText(string run)
    {
        string[] parts = BreakPattern().Split(run);
        for (int i = 0; i < parts.Length; i++)
        {
            if (i > 0)
            {
                Add(BreakWord, BreakWeight);
                _spans[^1] = _spans[^1] with { IsBreak = true };
            }

            Add(parts[i], 1);
        }
    }

    private void Add(string part, double weight)
    {
        if (_spans.Count == PromptParser.MostSpans) throw PromptException.TooManySpans(name, PromptParser.MostSpans);
        _spans.Add(new PromptSpan(part, weight));
    }

    private void Multiply(int start, double factor)
    {
        for (int i = start; i < _spans.Count; i++) _spans[i] = _spans[i] with { Weight = _spans[i].Weight * factor };
    }

    // Brackets that are not closed reach to the end.
    private void Close()
    {
        if (_round.Count + _square.Count is > 0 and var unclosed)
            _notices.Add(unclosed == 1
                ? $"The {name} has an unclosed bracket, which weights everything up to the end."
                : Invariant($"The {name} has {unclosed} unclosed brackets, which weight everything up to the end."));
        if (_unopened > 0)
            _notices.Add(_unopened == 1
                ? $"The {name} has a closing bracket without an opening one, which is painted as text."
                : Invariant($"The {name} has {_unopened} closing brackets without an opening one, which are painted as text."));
        while (_round.Count > 0) Multiply(Pop(_round), RoundMultiplier);
        while (_square.Count > 0) Multiply(Pop(_square), SquareMultiplier);
    }

    // Joins neighbours of equal weight, and decides which breaks are breaks.
    private List<PromptSpan> Join()
    {
        List<PromptSpan> joined = [];
        var run = new StringBuilder();
        bool hasWordBreak = false;
        for (int i = 0; i < _spans.Count; i++)
        {
            PromptSpan span = _spans[i];
            if (span.IsBreak && span.Weight == BreakWeight)
            {
                joined.Add(PromptSpan.Break);
                continue;
            }

            hasWordBreak |= span.IsBreak;
            run.Append(span.Text);
            if (i + 1 < _spans.Count && _spans[i + 1].Weight == span.Weight) continue;
            joined.Add(new PromptSpan(run.ToString(), span.Weight));
            run.Clear();
        }

        if (hasWordBreak)
            _notices.Add($"The {name} has BREAK within brackets, which is painted as a word, as AUTOMATIC1111 does.");
        return joined.Count > 0 ? joined : [new PromptSpan("", 1)];
    }

    private static int Pop(List<int> brackets)
    {
        int start = brackets[^1];
        brackets.RemoveAt(brackets.Count - 1);
        return start;
    }

    private static bool IsSyntax(char letter) => letter is '(' or ')' or '[' or ']' or '\\';

    [GeneratedRegex(@"\s*\bBREAK\b\s*", RegexOptions.CultureInvariant)]
    private static partial Regex BreakPattern();
}
