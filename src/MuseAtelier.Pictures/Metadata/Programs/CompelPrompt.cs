using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// InvokeAI's prompts are read by Compel: <c>word+</c>, <c>word--</c> and <c>(words)1.2</c> weight text, and parentheses alone only group
/// it. They are written in ComfyUI's syntax, whose chunks and weights above 1 are the same.
/// </summary>
internal sealed partial class CompelPrompt
{
    private const float PlusBase = 1.1f;
    private const float MinusBase = 0.9f;
    private const int DeepestGroup = 32;
    private const int LongestWeight = 16;

    private readonly string _text;
    private readonly StringBuilder _written = new();

    // Text that is not written yet, because more of the same weight may follow.
    private readonly StringBuilder _pending = new();
    private readonly int[] _closings;
    private float _weight = 1;
    private bool _isWeighted;

    private CompelPrompt(string text)
    {
        _text = text;
        _closings = Closings(text);
    }

    /// <summary>Replaces the prompts of a draft, and says what is not the same.</summary>
    public static void Take(RequestDraft draft)
    {
        bool isWeighted = false;
        draft.PromptSyntax = PromptSyntax.Comfy;
        draft.Prompt = Convert(draft.Prompt);
        draft.Negative = Convert(draft.Negative);
        if (isWeighted) draft.Notice("InvokeAI's weights are painted as ComfyUI's, which act in another way where they are below 1.");

        string? Convert(string? prompt)
        {
            if (prompt is null) return null;
            foreach (Match function in Functions().Matches(prompt)) draft.Skip($"{function.Value}…) in a prompt");
            var reader = new CompelPrompt(prompt);
            reader.Read(0, prompt.Length, 1, 0);
            reader.Flush();
            isWeighted |= reader._isWeighted;
            return reader._written.ToString();
        }
    }

    private void Read(int start, int end, float weight, int depth)
    {
        for (int i = start; i < end;)
        {
            int next = i;
            if (_text[i] == '\\' && i + 1 < end)
            {
                next = i + 2;
                Write(_text.AsSpan(i + 1, 1), weight);
            }
            else if (_text[i] == '(' && _closings[i] is > 0 and var closing && depth < DeepestGroup)
            {
                next = closing + 1;
                float inner = weight * WeightAt(ref next);
                Read(i + 1, closing, inner, depth + 1);
            }
            else if (IsInWord(_text[i]))
            {
                while (next < end && IsInWord(_text[next])) next++;
                int word = next;
                Write(_text.AsSpan(i, word - i), weight * SignsAt(ref next));
            }
            else
            {
                next++;
                Write(_text.AsSpan(i, 1), weight);
            }

            i = next;
        }
    }

    private void Write(ReadOnlySpan<char> text, float weight)
    {
        // Spaces have no tokens and so no weight.
        if (weight != _weight && !text.IsWhiteSpace())
        {
            Flush();
            _weight = weight;
        }

        foreach (char letter in text)
        {
            if (letter is '(' or ')') _pending.Append('\\');
            _pending.Append(letter);
        }
    }

    private void Flush()
    {
        string text = _pending.ToString();
        string words = text.Trim();
        if (_weight == 1 || words.Length == 0)
        {
            _written.Append(text);
        }
        else
        {
            _isWeighted = true;
            int start = text.IndexOf(words, StringComparison.Ordinal);
            _written.Append(text, 0, start).Append('(').Append(words).Append(CultureInfo.InvariantCulture, $":{_weight:0.######})");
            _written.Append(text.AsSpan(start + words.Length));
        }

        _pending.Clear();
    }

    // Behind a group: a number, or signs.
    private float WeightAt(ref int at)
    {
        int end = at;
        while (end < _text.Length && end - at < LongestWeight && (char.IsAsciiDigit(_text[end]) || _text[end] == '.')) end++;
        bool isNumber = float.TryParse(_text.AsSpan(at, end - at), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out float number);
        if (!isNumber) return SignsAt(ref at);
        at = end;
        return number;
    }

    // Signs count at the end of a word alone, not within one.
    private float SignsAt(ref int at)
    {
        if (at >= _text.Length || _text[at] is not ('+' or '-') || at == 0) return 1;
        char sign = _text[at];
        int end = at;
        while (end < _text.Length && _text[end] == sign) end++;
        if (end < _text.Length && IsInWord(_text[end])) return 1;
        float weight = MathF.Pow(sign == '+' ? PlusBase : MinusBase, end - at);
        at = end;
        return weight;
    }

    // [letters] the index of the parenthesis that closes the one at an index; 0 for none.
    private static int[] Closings(string text)
    {
        int[] closings = new int[text.Length];
        var open = new Stack<int>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '(') open.Push(i);
            else if (text[i] == ')' && open.TryPop(out int at)) closings[at] = i;
        }

        return closings;
    }

    private static bool IsInWord(char letter) => char.IsLetterOrDigit(letter) || letter is '_' or '\'';

    [GeneratedRegex("""\.(and|blend|swap)\(""", RegexOptions.CultureInvariant)]
    private static partial Regex Functions();
}
