using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>Prompts of any length: the same tokens as without any bound, for a bounded amount of work.</summary>
public sealed class LongPromptTests
{
    private const int Million = 1_000_000;

    // Memory stands for work here, because times depend on the machine: without bounds it is from 40 to 400 MiB.
    private const long MostBytes = 24 << 20;

    private static readonly string[] Pieces =
    [
        " ", "\u00A0", "\u3000 ", "\u200B", "\u200D", "e\u0301", "a\u0323\u0301", "\u0301", "\u1112\u1161\u11AB",
        "한국", "梵高", "Ж", "ẞ", "İ", "'s", "'re", "1", "42", "½", "word", "Painting",
        "<|endoftext|>", "<|", "\uD83C", "🌌", "👩‍🎨", "—", "...", "!?", "supercalifragilistic", "aaaa",
        "ab", "ba", "the", "qu", "ing", "st",
    ];

    /// <summary>Names of texts that are a million characters long.</summary>
    public static TheoryData<string> Names => [.. Millions.Keys];

    private static Dictionary<string, Func<Random, string>> Millions { get; } = new()
    {
        ["emoji"] = random => char.ConvertFromUtf32(0x1F300 + random.Next(300)),
        ["combining marks"] = random => ((char)(0x300 + random.Next(0x40))).ToString(),
        ["one mark"] = _ => "\u0301",
        ["Chinese"] = random => ((char)(0x4E00 + random.Next(0x5000))).ToString(),
        ["Hangul by letters"] = _ => "\u1112\u1161\u11AB",
        ["one letter"] = _ => "a",
        ["letters"] = random => ((char)('a' + random.Next(26))).ToString(),
        ["digits"] = random => ((char)('0' + random.Next(10))).ToString(),
        ["short words"] = random => $"{(char)('a' + random.Next(26))}{(char)('a' + random.Next(26))} ",
        ["zero-width"] = _ => "\u200B",
        ["lone surrogates"] = _ => "\uD83C",
        ["names of the end"] = _ => "<|endoftext|>",
        ["openings"] = _ => "<|",
    };

    [Fact]
    public void Encode_OfRandomPrompts_GivesTheTokensOfWholeWords()
    {
        var random = new Random(14);
        for (int i = 0; i < 400; i++)
        {
            // Few kinds of pieces give long words and words that repeat; many give short ones.
            string[] pieces = [.. Enumerable.Range(0, 1 + random.Next(6)).Select(_ => Pieces[random.Next(Pieces.Length)])];
            AssertAsWhole(string.Concat(Enumerable.Range(0, random.Next(150)).Select(_ => pieces[random.Next(pieces.Length)])));
        }
    }

    [Theory]
    [InlineData('a', 'z')]
    [InlineData('a', 'b')]
    [InlineData('s', 't')]
    [InlineData('\u4E00', '\u9FFF')]
    [InlineData('\u2010', '\u2027')]
    public void Encode_OfOneLongWord_GivesTheTokensOfTheWholeWord(char first, char last)
    {
        var random = new Random(first);
        for (int length = 200; length < 2500; length += 331)
            AssertAsWhole(string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next(first, last + 1))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_OfAMillionCharacters_DoesBoundedWork(string name)
    {
        string text = Make(name, Million);
        PromptTokenizer.Encode("warm");
        long before = GC.GetAllocatedBytesForCurrentThread();
        PromptTokens tokens = PromptTokenizer.Encode(text);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(allocated, 0, MostBytes);
        Assert.Equal(75, tokens.Tokens.Count);
        Assert.False(tokens.IsCutCountExact);
        Assert.InRange(tokens.CutCount, 100, Million);
        Assert.EndsWith(tokens.CutText, text.TrimEnd(), StringComparison.Ordinal);
        // What was not read does not change what fits.
        Assert.Equal(Whole(Make(name, 3000)).Ids[..75], tokens.Tokens.Select(token => token.Id));
    }

    [Theory]
    [InlineData(' ')]
    [InlineData('\u00A0')]
    [InlineData('\u2003')]
    [InlineData('\n')]
    public void Encode_BehindAMillionOfWhiteSpace_ReadsTheWord(char space)
    {
        PromptTokens tokens = PromptTokenizer.Encode(new string(space, Million) + "night" + new string(space, Million));
        Assert.Equal("night", Assert.Single(tokens.Tokens).Source);
        Assert.Equal((0, "", true), (tokens.CutCount, tokens.CutText, tokens.IsCutCountExact));
    }

    [Fact]
    public void Encode_OfMoreWordsThanAreCounted_SaysAtLeastSoMany()
    {
        string text = string.Join(' ', Enumerable.Range(0, 20_000).Select(i => $"n{i.ToString(CultureInfo.InvariantCulture)}"));
        PromptTokens tokens = PromptTokenizer.Encode(text);
        Assert.False(tokens.IsCutCountExact);
        Assert.InRange(tokens.CutCount, 10_000, Whole(text).Ids.Count - 75);
    }

    [Theory]
    [InlineData(65_536, true)]
    [InlineData(65_537, false)]
    public void Encode_AtTheMostCharacters_KnowsWhetherItCountedAll(int length, bool isExact)
    {
        PromptTokens tokens = PromptTokenizer.Encode(string.Concat(Enumerable.Repeat("ab ", length / 2)) + (length % 2 == 1 ? "a" : ""));
        Assert.Equal(isExact, tokens.IsCutCountExact);
        Assert.Equal(65_536 / 2 - 75, tokens.CutCount);
    }

    private static string Make(string name, int length)
    {
        var random = new Random(7);
        var text = new StringBuilder(length + 16);
        while (text.Length < length) text.Append(Millions[name](random));
        return text.ToString(0, length);
    }

    private static void AssertAsWhole(string text)
    {
        (List<int> ids, List<Range> sources) = Whole(text);
        PromptTokens tokens = PromptTokenizer.Encode(text);
        Assert.Equal(ids.Take(75), tokens.Tokens.Select(token => token.Id));
        Assert.Equal(sources.Take(75).Select(source => text[source]), tokens.Tokens.Select(token => token.Source));
        if (tokens.IsCutCountExact) Assert.Equal(Math.Max(0, ids.Count - 75), tokens.CutCount);
        else Assert.InRange(tokens.CutCount, 0, ids.Count - 75);
        Assert.Equal(ids.Count > 75 ? text[sources[75].Start..].Trim() : "", tokens.CutText);
    }

    // The tokenizer without bounds and windows: each word is given to the library as a whole.
    private static (List<int> Ids, List<Range> Sources) Whole(string text)
    {
        var ids = new List<int>();
        var sources = new List<Range>();
        for (int start = 0; start < text.Length;)
        {
            string[] names = [ClipVocabulary.StartOfTextName, ClipVocabulary.EndOfTextName];
            (int at, string name) = names.Select(name => (At: text.IndexOf(name, start, StringComparison.Ordinal), name))
                .Where(found => found.At >= 0)
                .DefaultIfEmpty((text.Length, ""))
                .Min();
            ReadPlain(text, start, at, ids, sources);
            if (name.Length > 0)
            {
                ids.Add(ClipVocabulary.StartOfText + Array.IndexOf(names, name));
                sources.Add(at..(at + name.Length));
            }

            start = at + name.Length;
        }

        return (ids, sources);
    }

    private static void ReadPlain(string text, int start, int end, List<int> ids, List<Range> sources)
    {
        List<SourceRune> runes = CleanWhole(text, start, end);
        for (int i = 0; i < runes.Count;)
        {
            if (Rune.IsWhiteSpace(new Rune(runes[i].Value)))
            {
                i++;
                continue;
            }

            ReadOnlySpan<SourceRune> word = CollectionsMarshal.AsSpan(runes)[i..];
            word = word[..PromptText.WordLength(word)];
            ReadWord(word.ToArray(), ids, sources);
            i += word.Length;
        }
    }

    private static List<SourceRune> CleanWhole(string text, int start, int end)
    {
        var runes = new List<SourceRune>();
        for (int i = start; i < end;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i, end - i), out Rune rune, out int units);
            runes.Add(new SourceRune(rune.Value, i, i + units));
            i += units;
        }

        CanonicalComposition.Compose(runes);
        return [.. runes.SelectMany(rune => rune.Value == 0x130
            ? (SourceRune[])[rune with { Value = 'i' }, rune with { Value = 0x307 }]
            : [rune with { Value = Rune.ToLowerInvariant(new Rune(rune.Value)).Value }])];
    }

    private static void ReadWord(SourceRune[] word, List<int> ids, List<Range> sources)
    {
        byte[][] bytes = [.. word.Select(rune => Encoding.UTF8.GetBytes(new Rune(rune.Value).ToString()))];
        SourceRune[] runeOf = [.. word.SelectMany((rune, i) => Enumerable.Repeat(rune, bytes[i].Length))];
        char[] letters = new char[runeOf.Length];
        Vocabulary.Spell(bytes.SelectMany(part => part).ToArray(), letters);
        int at = 0;
        foreach (int id in Vocabulary.Encode(new string(letters)))
        {
            SourceRune[] source = runeOf[at..(at += Vocabulary.ByteCountOf(id))];
            ids.Add(id);
            sources.Add(source.Min(rune => rune.Start)..source.Max(rune => rune.End));
        }
    }

    private static ClipVocabulary Vocabulary { get; } = new();
}
