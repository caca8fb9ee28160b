using System.Buffers;
using System.Globalization;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Finds prompt editing and alternation in a prompt as AUTOMATIC1111 does (modules/prompt_parser.py, schedule_parser), in time linear in
/// the prompt's length. An instance is used once, by one thread.
/// </summary>
/// <remarks>
/// A group of brackets is editing, alternation or emphasis if everything in it is balanced; any other bracket or colon is text. A bar
/// outside of alternation, or a backslash that escapes nothing, makes the whole prompt text. AUTOMATIC1111's own parser resolves one case
/// at random, because it depends on the order of a Python set: editing that is followed directly by an unbalanced bracket or a colon is
/// editing in some of its runs and text in others. It is editing here.
/// </remarks>
/// <param name="text">The prompt.</param>
/// <param name="steps">The steps of the picture, by which fractions are multiplied.</param>
/// <param name="name">The prompt's name in errors.</param>
internal sealed class PromptEditParser(string text, int steps, string name)
{
    /// <summary>The most levels of editing and alternation within each other. Each one is a call on the stack.</summary>
    public const int MostLevels = 32;

    private static readonly SearchValues<char> SyntaxLetters = SearchValues.Create(@"\()[]:|");

    private readonly List<EditPiece> _pieces = [];
    private readonly Stack<Group> _open = [];
    private bool _hasBar;

    /// <summary>Reads the prompt.</summary>
    /// <returns>Its pieces; null if AUTOMATIC1111 cannot read it, so that all of it is text.</returns>
    /// <exception cref="PromptException">Editing is nested too deep.</exception>
    public IReadOnlyList<EditPiece>? Run()
    {
        for (int at = 0; at < text.Length && !_hasBar;)
        {
            int length = Read(at);
            if (length == 0) return null;
            at += length;
        }

        CloseAll();
        return _hasBar ? null : _pieces;
    }

    // Reads what begins at an index, and returns its length; 0 for a backslash that escapes nothing.
    private int Read(int at)
    {
        switch (text[at])
        {
            case '\\':
                if (at + 1 == text.Length || text[at + 1] == '\n') return 0;
                Add(at, 2);
                return 2;
            case '(' or '[':
                _open.Push(new Group(text[at], _pieces.Count));
                Add(at, 1);
                return 1;
            case ')' or ']':
                Close(at);
                return 1;
            case ':' or '|':
                Separate(at);
                return 1;
            default:
                int end = text.AsSpan(at).IndexOfAny(SyntaxLetters);
                int length = end < 0 ? text.Length - at : end;
                Add(at, length);
                return length;
        }
    }

    private void Add(int at, int length) => _pieces.Add(new FixedPiece(text.Substring(at, length)));

    private void Separate(int at)
    {
        if (_open.TryPeek(out Group? group))
        {
            group.Separators.Add(_pieces.Count);
            group.HasBar |= text[at] == '|';
            group.HasColon |= text[at] == ':';
            group.LastSeparator = at;
        }
        else
        {
            _hasBar |= text[at] == '|';
        }

        Add(at, 1);
    }

    // A closing bracket that does not end a legal group leaves all open brackets without a partner: what is around text that is not
    // balanced is not balanced either.
    private void Close(int at)
    {
        char opening = text[at] == ')' ? '(' : '[';
        if (!_open.TryPeek(out Group? group) || group.Letter != opening)
        {
            CloseAll();
            Add(at, 1);
            return;
        }

        if (IsEmphasis(group))
        {
            _open.Pop();
            Inherit(group.Level);
            Add(at, 1);
        }
        else if (Edit(group, at) is { } piece)
        {
            _open.Pop();
            if (group.Level == MostLevels) throw PromptException.EditingTooDeep(name, MostLevels);
            Inherit(group.Level + 1);
            _pieces.RemoveRange(group.Start, _pieces.Count - group.Start);
            _pieces.Add(piece);
        }
        else
        {
            CloseAll();
            Add(at, 1);
        }
    }

    // The levels of editing within the group that is open now.
    private void Inherit(int level)
    {
        if (_open.TryPeek(out Group? outer)) outer.Level = Math.Max(outer.Level, level);
    }

    private void CloseAll()
    {
        foreach (Group group in _open) _hasBar |= group.HasBar;
        _open.Clear();
    }

    private static bool IsEmphasis(Group group) =>
        !group.HasBar && group.Separators.Count <= (group.Letter == '(' ? 1 : 0);

    private EditPiece? Edit(Group group, int end)
    {
        if (group.Letter != '[' || (group.HasBar && group.HasColon)) return null;
        if (group.HasBar)
            return new CyclePiece([.. Enumerable.Range(0, group.Separators.Count + 1).Select(option => Part(group, option))]);
        if (group.Separators.Count > 2 || TryReadStep(text.AsSpan(group.LastSeparator + 1, end - group.LastSeparator - 1)) is not { } when)
            return null;
        return group.Separators.Count == 2
            ? new SwitchPiece(Part(group, 0), Part(group, 1), when)
            : new SwitchPiece([], Part(group, 0), when);
    }

    // The pieces of a group between two separators.
    private List<EditPiece> Part(Group group, int index)
    {
        int start = index == 0 ? group.Start + 1 : group.Separators[index - 1] + 1;
        int end = index < group.Separators.Count ? group.Separators[index] : _pieces.Count;
        return _pieces.GetRange(start, end - start);
    }

    // A number with a point is a fraction of the steps; any other one is a step. Larger ones mean the last step.
    private int? TryReadStep(ReadOnlySpan<char> word)
    {
        ReadOnlySpan<char> number = Trim(word);
        if (number.IsEmpty || number.ContainsAnyExcept("0123456789.+-eE")) return null;
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(number, styles, CultureInfo.InvariantCulture, out double value)) return null;
        if (number.Contains('.')) value *= steps;
        return (int)Math.Clamp(value, 0, steps);
    }

    private static ReadOnlySpan<char> Trim(ReadOnlySpan<char> word)
    {
        while (!word.IsEmpty && PromptNumber.IsWhiteSpace(word[0])) word = word[1..];
        while (!word.IsEmpty && PromptNumber.IsWhiteSpace(word[^1])) word = word[..^1];
        return word;
    }

    /// <summary>Brackets that are not closed yet.</summary>
    private sealed class Group(char letter, int start)
    {
        /// <summary>The opening bracket.</summary>
        public char Letter { get; } = letter;

        /// <summary>The index of the opening bracket among the pieces.</summary>
        public int Start { get; } = start;

        /// <summary>The indices of the group's own colons and bars among the pieces.</summary>
        public List<int> Separators { get; } = [];

        /// <summary>The index of the last of them in the text.</summary>
        public int LastSeparator { get; set; }

        public bool HasBar { get; set; }

        public bool HasColon { get; set; }

        /// <summary>The levels of editing within the group.</summary>
        public int Level { get; set; }
    }
}
