using System.Runtime.InteropServices;
using System.Text;

namespace MuseAtelier.Prompting;

/// <summary>CLIP's tokenizer, with the ids that transformers' CLIPTokenizer gives. Safe to share between threads.</summary>
internal sealed class ClipTokenizer
{
    /// <summary>Positions of the text encoders: start, text, end, filling.</summary>
    public const int Positions = 77;

    /// <summary>Tokens of text that fit between start and end.</summary>
    public const int Capacity = Positions - 2;

    private static readonly Lazy<ClipTokenizer> LazyShared = new(() => new ClipTokenizer());

    private readonly ClipVocabulary _vocabulary = new();

    private ClipTokenizer() { }

    /// <summary>The one tokenizer; its tables are built when it is first asked for.</summary>
    public static ClipTokenizer Shared => LazyShared.Value;

    /// <summary>Splits a prompt into tokens.</summary>
    public PromptTokens Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        var sources = new List<Range>();
        int start = 0;
        while (start < text.Length)
        {
            (int index, int id, int length) = NextSpecial(text, start);
            EncodePlain(text, start, index, ids, sources);
            if (length > 0)
            {
                ids.Add(id);
                sources.Add(index..(index + length));
            }

            start = index + length;
        }

        int kept = Math.Min(ids.Count, Capacity);
        return new PromptTokens
        {
            ClipL = Fill(ids, kept, ClipVocabulary.EndOfText),
            ClipG = FillBehindFirstEnd(Fill(ids, kept, ClipVocabulary.EndOfText)),
            Tokens = [.. Enumerable.Range(0, kept).Select(i => new PromptToken(ids[i], _vocabulary.TextOf(ids[i]), text[sources[i]]))],
            CutText = kept < ids.Count ? text[sources[kept].Start..].Trim() : "",
            CutCount = ids.Count - kept,
        };
    }

    // The names of start and end stand for themselves wherever they occur in a prompt, in lower case only.
    private static (int Index, int Id, int Length) NextSpecial(string text, int from)
    {
        for (int index = from; (index = text.IndexOf("<|", index, StringComparison.Ordinal)) >= 0; index += 2)
        {
            ReadOnlySpan<char> rest = text.AsSpan(index);
            if (rest.StartsWith(ClipVocabulary.StartOfTextName, StringComparison.Ordinal))
                return (index, ClipVocabulary.StartOfText, ClipVocabulary.StartOfTextName.Length);
            if (rest.StartsWith(ClipVocabulary.EndOfTextName, StringComparison.Ordinal))
                return (index, ClipVocabulary.EndOfText, ClipVocabulary.EndOfTextName.Length);
        }

        return (text.Length, 0, 0);
    }

    private void EncodePlain(string text, int start, int end, List<int> ids, List<Range> sources)
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
            EncodeWord(rest[..length], ids, sources);
            rest = rest[length..];
        }
    }

    private void EncodeWord(ReadOnlySpan<SourceRune> word, List<int> ids, List<Range> sources)
    {
        byte[] bytes = new byte[4 * word.Length];
        int[] runeOf = new int[bytes.Length];
        int count = 0;
        for (int i = 0; i < word.Length; i++)
        {
            int length = new Rune(word[i].Value).EncodeToUtf8(bytes.AsSpan(count));
            runeOf.AsSpan(count, length).Fill(i);
            count += length;
        }

        int firstToken = ids.Count;
        _vocabulary.Encode(bytes.AsSpan(0, count), ids);
        int at = 0;
        for (int i = firstToken; i < ids.Count; i++)
        {
            int first = at;
            at += _vocabulary.ByteCountOf(ids[i]);
            sources.Add(SourceOf(word[runeOf[first]..(runeOf[at - 1] + 1)]));
        }
    }

    // Not merely from the first's start to the last's end: composition may have put marks into another order.
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

    // CLIP-G was trained with zeros behind the first end: so it gets them even where the prompt itself names one.
    private static int[] FillBehindFirstEnd(int[] row)
    {
        row.AsSpan(Array.IndexOf(row, ClipVocabulary.EndOfText) + 1).Clear();
        return row;
    }

    private static int[] Fill(List<int> ids, int kept, int filling)
    {
        int[] row = new int[Positions];
        row[0] = ClipVocabulary.StartOfText;
        ids.CopyTo(0, row, 1, kept);
        row[kept + 1] = ClipVocabulary.EndOfText;
        row.AsSpan(kept + 2).Fill(filling);
        return row;
    }
}
