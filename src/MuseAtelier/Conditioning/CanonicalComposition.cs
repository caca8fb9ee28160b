using System.Globalization;
using System.Runtime.InteropServices;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Unicode normalisation form C that keeps the position in the prompt of each code point. The runtime's own normalisation does nothing
/// under InvariantGlobalization, which hosts may set: "é" typed as two code points, as macOS stores it, would then give another picture
/// than "é" typed as one.
/// </summary>
internal sealed class CanonicalComposition
{
    // Hangul syllables decompose by arithmetic (The Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    private static readonly Lazy<CanonicalComposition> LazyTables = new(() => new CanonicalComposition());

    private readonly Dictionary<int, (int First, int Second)> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];

    private CanonicalComposition()
    {
        using Stream stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("unicode-nfc.txt")!;
        using var reader = new StreamReader(stream);
        // The first line is a description of the file.
        reader.ReadLine();
        while (reader.ReadLine() is { Length: > 0 } line)
        {
            int mark = line.AsSpan().IndexOfAny('=', '-');
            int plus = line.IndexOf('+', StringComparison.Ordinal);
            int composite = Hex(line.AsSpan(0, mark));
            int first = Hex(line.AsSpan(mark + 1, (plus < 0 ? line.Length : plus) - mark - 1));
            int second = plus < 0 ? 0 : Hex(line.AsSpan(plus + 1));
            (int, int) parts = (first, second);
            _decompositions.Add(composite, parts);
            if (line[mark] == '=')
                _compositions.Add(parts, composite);
        }

        while (reader.ReadLine() is { } line)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            ReadOnlySpan<char> range = line.AsSpan(0, space);
            int dots = range.IndexOf("..", StringComparison.Ordinal);
            int begin = Hex(dots < 0 ? range : range[..dots]);
            int end = dots < 0 ? begin : Hex(range[(dots + 2)..]);
            byte combiningClass = byte.Parse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture);
            for (int rune = begin; rune <= end; rune++)
                _classes.Add(rune, combiningClass);
        }

        static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    /// <summary>Composes the code points in place.</summary>
    public static void Compose(List<SourceRune> runes)
    {
        // Most prompts need no tables, which take memory and time to build.
        foreach (SourceRune rune in runes)
        {
            if (!IsInert(rune.Value))
            {
                LazyTables.Value.DecomposeAndCompose(runes);
                return;
            }
        }
    }

    // Whether form C never changes the code point, whatever its neighbours are: everything before the combining marks, general
    // punctuation, Chinese and Japanese (without the kana's combining voice marks), whole Hangul syllables, emoji.
    private static bool IsInert(int rune) =>
        rune is < 0x300
            or (>= 0x2002 and <= 0x2027)
            or (>= 0x3000 and <= 0x9FFF and not (0x3099 or 0x309A) and not (>= 0x302A and <= 0x302F))
            or (>= SyllableBase and < SyllableBase + SyllableCount)
            or (>= 0xFE00 and <= 0xFE0F)
            or (>= 0xFF01 and <= 0xFFFF)
            or (>= 0x1F000 and <= 0x1FAFF);

    private void DecomposeAndCompose(List<SourceRune> runes)
    {
        var parts = new List<SourceRune>(runes.Count + 16);
        foreach (SourceRune rune in runes)
            Decompose(rune, parts);
        Order(CollectionsMarshal.AsSpan(parts));
        runes.Clear();
        Join(parts, runes);
    }

    private void Decompose(SourceRune rune, List<SourceRune> parts)
    {
        int syllable = rune.Value - SyllableBase;
        if (syllable is >= 0 and < SyllableCount)
        {
            parts.Add(rune with { Value = LeadBase + syllable / (VowelCount * TailCount) });
            parts.Add(rune with { Value = VowelBase + syllable % (VowelCount * TailCount) / TailCount });
            if (syllable % TailCount != 0)
                parts.Add(rune with { Value = TailBase + syllable % TailCount });
        }
        else if (rune.Value >= 0xC0 && _decompositions.TryGetValue(rune.Value, out (int First, int Second) pair))
        {
            Decompose(rune with { Value = pair.First }, parts);
            if (pair.Second != 0)
                Decompose(rune with { Value = pair.Second }, parts);
        }
        else
        {
            parts.Add(rune);
        }
    }

    // Sorts the marks that follow a starter by their class. Marks of equal class must keep their order.
    private void Order(Span<SourceRune> parts)
    {
        int start = 0;
        while (start < parts.Length)
        {
            int end = start;
            bool sorted = true;
            for (int previous = 0; end < parts.Length && Class(parts[end].Value) is int own and not 0; end++)
            {
                sorted &= own >= previous;
                previous = own;
            }

            if (!sorted)
            {
                Span<SourceRune> marks = parts[start..end];
                var keys = new (int Class, int Place)[marks.Length];
                for (int i = 0; i < keys.Length; i++)
                    keys[i] = (Class(marks[i].Value), i);
                MemoryExtensions.Sort(keys.AsSpan(), marks);
            }

            start = end + 1;
        }
    }

    private void Join(List<SourceRune> parts, List<SourceRune> runes)
    {
        int starter = -1;
        int lastClass = 0;
        foreach (SourceRune part in parts)
        {
            int own = Class(part.Value);
            // A mark of the same or a higher class between a starter and a mark blocks their composition. Between two starters, every
            // code point does.
            bool isAdjacent = starter == runes.Count - 1;
            bool mayCompose = starter >= 0 && (isAdjacent || (own != 0 && lastClass < own));
            if (mayCompose && TryCompose(runes[starter].Value, part.Value, out int composite))
            {
                SourceRune old = runes[starter];
                runes[starter] = new SourceRune(composite, Math.Min(old.Start, part.Start), Math.Max(old.End, part.End));
                continue;
            }

            if (own == 0)
                starter = runes.Count;
            lastClass = own;
            runes.Add(part);
        }
    }

    private bool TryCompose(int first, int second, out int composite)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            composite = SyllableBase + ((lead * VowelCount) + vowel) * TailCount;
            return true;
        }

        int syllable = first - SyllableBase;
        int tail = second - TailBase;
        if (syllable is >= 0 and < SyllableCount && syllable % TailCount == 0 && tail is > 0 and < TailCount)
        {
            composite = first + tail;
            return true;
        }

        return _compositions.TryGetValue((first, second), out composite);
    }

    private int Class(int rune) => rune < 0x300 ? 0 : _classes.GetValueOrDefault(rune);
}
