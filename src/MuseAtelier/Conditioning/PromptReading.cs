using System.Runtime.InteropServices;
using System.Text;

namespace MuseAtelier.Conditioning;

/// <summary>
/// Splits a text into tokens. Only so many tokens are used, so the reading of the rest is bounded: by a number of characters, and by the
/// work of <see cref="WordEncoder"/>. An instance is used once, by one thread.
/// </summary>
/// <param name="vocabulary">The tokens; borrowed.</param>
/// <param name="text">The text.</param>
/// <param name="enough">The number of tokens that are used; more may be read.</param>
/// <param name="mostUnits">
/// The most UTF-16 units that are read, white space not counted. They must hold more tokens than are used.
/// </param>
internal sealed class PromptReading(ClipVocabulary vocabulary, string text, int enough, int mostUnits)
{
    /// <summary>
    /// The most UTF-16 units that are read for one chunk. They always hold more tokens than it has room for.
    /// </summary>
    public const int MostUnits = 65_536;

    private readonly WordEncoder _encoder = new(vocabulary, enough);
    private byte[] _bytes = new byte[256];
    private int[] _runeOf = new int[256];
    private int _end;

    /// <summary>The tokens.</summary>
    public List<int> Ids { get; } = [];

    /// <summary>The part of the text that each token stands for.</summary>
    public List<Range> Sources { get; } = [];

    /// <summary>Whether the whole text was read.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Reads the text.</summary>
    public void Run()
    {
        _end = FindEnd();
        int start = 0;
        while (start < _end)
        {
            (int index, int id, int length) = NextSpecial(start);
            if (!ReadPlain(start, index))
            {
                IsComplete = false;
                return;
            }

            if (length > 0)
            {
                Ids.Add(id);
                Sources.Add(index..(index + length));
            }

            start = index + length;
        }

        IsComplete = _end == text.Length;
    }

    private int FindEnd()
    {
        int left = mostUnits;
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i])) continue;
            if (left == 0) return char.IsLowSurrogate(text[i]) && char.IsHighSurrogate(text[i - 1]) ? i - 1 : i;
            left--;
        }

        return text.Length;
    }

    // The names of start and end stand for themselves wherever they occur in a prompt, in lower case only.
    private (int Index, int Id, int Length) NextSpecial(int from)
    {
        for (int index = from; (index = text.IndexOf("<|", index, _end - index, StringComparison.Ordinal)) >= 0; index += 2)
        {
            ReadOnlySpan<char> rest = text.AsSpan(index, _end - index);
            if (rest.StartsWith(ClipVocabulary.StartOfTextName, StringComparison.Ordinal))
                return (index, ClipVocabulary.StartOfText, ClipVocabulary.StartOfTextName.Length);
            if (rest.StartsWith(ClipVocabulary.EndOfTextName, StringComparison.Ordinal))
                return (index, ClipVocabulary.EndOfText, ClipVocabulary.EndOfTextName.Length);
        }

        return (_end, 0, 0);
    }

    private bool ReadPlain(int start, int end)
    {
        List<SourceRune> runes = PromptText.Clean(text, start, end);
        ReadOnlySpan<SourceRune> rest = CollectionsMarshal.AsSpan(runes);
        while (!rest.IsEmpty)
        {
            if (PromptText.IsWhiteSpace(rest[0]))
            {
                rest = rest[1..];
                continue;
            }

            int length = PromptText.WordLength(rest);
            // The word may go on behind the end of the reading, so its tokens would be wrong.
            if (length == rest.Length && end < text.Length && end == _end && Ids.Count > enough) return false;
            if (!ReadWord(rest[..length])) return false;
            rest = rest[length..];
        }

        return true;
    }

    private bool ReadWord(ReadOnlySpan<SourceRune> word)
    {
        if (_bytes.Length < 4 * word.Length) (_bytes, _runeOf) = (new byte[4 * word.Length], new int[4 * word.Length]);
        int count = 0;
        for (int i = 0; i < word.Length; i++)
        {
            int length = new Rune(word[i].Value).EncodeToUtf8(_bytes.AsSpan(count));
            _runeOf.AsSpan(count, length).Fill(i);
            count += length;
        }

        int firstToken = Ids.Count;
        bool isWhole = _encoder.Encode(_bytes.AsSpan(0, count), Ids);
        int at = 0;
        for (int i = firstToken; i < Ids.Count; i++)
        {
            int first = at;
            at += vocabulary.ByteCountOf(Ids[i]);
            Sources.Add(SourceOf(word[_runeOf[first]..(_runeOf[at - 1] + 1)]));
        }

        return isWhole;
    }

    // The least start and the largest end, because composition may have changed the order of marks.
    private static Range SourceOf(ReadOnlySpan<SourceRune> runes)
    {
        (_, int start, int end) = runes[0];
        foreach (SourceRune rune in runes)
        {
            start = Math.Min(start, rune.Start);
            end = Math.Max(end, rune.End);
        }

        return start..end;
    }
}
