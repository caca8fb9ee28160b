using System.Globalization;
using System.Text;

namespace MuseAtelier.Conditioning;

/// <summary>Cleans text as CLIP's tokenizer does and cuts it into words.</summary>
internal static class PromptText
{
    private const int CapitalIWithDot = 0x130;
    private const int CombiningDotAbove = 0x307;

    /// <summary>
    /// Form C, then lower case. Of white space in a row one stays: it only separates words, and form C composes nothing with it.
    /// </summary>
    /// <param name="text">The prompt.</param>
    /// <param name="start">First UTF-16 unit of the part to clean.</param>
    /// <param name="end">Unit after its last one.</param>
    public static List<SourceRune> Clean(string text, int start, int end)
    {
        var runes = new List<SourceRune>();
        for (int i = start; i < end;)
        {
            // An unpaired surrogate decodes as U+FFFD, and one unit is consumed.
            Rune.DecodeFromUtf16(text.AsSpan(i, end - i), out Rune rune, out int units);
            if (!Rune.IsWhiteSpace(rune) || runes.Count == 0 || !IsWhiteSpace(runes[^1]))
                runes.Add(new SourceRune(rune.Value, i, i + units));
            i += units;
        }

        CanonicalComposition.Compose(runes);
        var lower = new List<SourceRune>(runes.Count);
        foreach (SourceRune rune in runes)
        {
            if (rune.Value == CapitalIWithDot)
            {
                // The one letter whose lower case is two code points; the runtime's invariant mapping leaves it as it is.
                lower.Add(rune with { Value = 'i' });
                lower.Add(rune with { Value = CombiningDotAbove });
            }
            else
            {
                lower.Add(rune with { Value = Rune.ToLowerInvariant(new Rune(rune.Value)).Value });
            }
        }

        return lower;
    }

    /// <summary>
    /// Length of the word at the beginning of cleaned text that does not begin with white space: an English contraction,
    /// a run of letters, one digit, or a run of anything else
    /// (<c>'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+</c>, openai/CLIP clip/simple_tokenizer.py).
    /// </summary>
    public static int WordLength(ReadOnlySpan<SourceRune> runes)
    {
        if (runes[0].Value == '\'' && runes.Length > 1)
        {
            int second = runes[1].Value;
            if (second is 's' or 't' or 'm' or 'd')
                return 2;
            if (runes.Length > 2 && (second, runes[2].Value) is ('r', 'e') or ('v', 'e') or ('l', 'l'))
                return 3;
        }

        RuneKind kind = KindOf(runes[0].Value);
        if (kind == RuneKind.Number)
            return 1;
        int length = 1;
        while (length < runes.Length && KindOf(runes[length].Value) == kind)
            length++;
        return length;
    }

    public static bool IsWhiteSpace(SourceRune rune) => KindOf(rune.Value) == RuneKind.WhiteSpace;

    private static RuneKind KindOf(int value)
    {
        var rune = new Rune(value);
        if (Rune.IsWhiteSpace(rune))
            return RuneKind.WhiteSpace;
        return Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => RuneKind.Letter, // Lu, Ll, Lt, Lm and Lo are the first five
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => RuneKind.Number,
            _ => RuneKind.Other,
        };
    }

    private enum RuneKind
    {
        WhiteSpace,
        Letter,
        Number,
        Other,
    }
}
